"""What the service takes when nobody asks for anything: time to start, memory, bytes on disk."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from bench import traffic
from bench.accept import PATHS, PROCESSES
from bench.connected import connected
from bench.meter import Meter
from bench.plan import Plan
from bench.proc import command, family, memory_bytes
from bench.programs import Crew, Program, free_port
from bench.stage import Stage
from bench.waiting import DIGESTED, until
from bench.wrk import wrk
from parley.db.embedded import Server

_ROLES = {
    "parley serve": "web process",
    "parley work": "worker",
    "parley simulate": "simulators",
    "postgres": "PostgreSQL",
}
_SECONDS = 20

_SIZES = """
select relname as name, pg_total_relation_size(oid) as bytes
from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
"""


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """Of `parley up` with its own database, simulators, one worker and two web processes."""

    first_start_seconds: float
    start_seconds: float
    memory: dict[str, list[int]]
    """Bytes of each process, by role; a page that several share counts a part for each."""
    table_bytes: dict[str, dict[str, float]]
    """Bytes of each table with its indexes, per message, by kind of message."""


async def measure(stage: Stage, plan: Plan, meter: Meter) -> Footprint:
    """Start everything on an empty folder, use it a little, look at it, and start it again."""
    folder = stage.folder / "footprint"
    folder.mkdir()
    with meter.step("start-up, memory, disk", _SECONDS):
        async with _up(folder) as (crew, first):
            url = Server(folder / "data").url
            await traffic.open_conversations(url)
            tables = await _grown(url, crew.url)
            memory = _memory(crew.programs[0].pid)
        async with _up(folder) as (_, second):
            pass
    return Footprint(first_start_seconds=first, start_seconds=second, memory=memory, table_bytes=tables)


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return _SECONDS


@asynccontextmanager
async def _up(folder: Path) -> AsyncIterator[tuple[Crew, float]]:
    """Run `parley up`, and tell how long it took until it was ready."""
    port, simulator_port = free_port(), free_port()
    variables = {
        "PORT": str(port), "SIMULATOR_PORT": str(simulator_port), "DATA_DIR": str(folder / "data"),
        "WEB_PROCESSES": str(PROCESSES), "LOG_LEVEL": "warning",
    }  # fmt: skip
    began = time.monotonic()
    crew = Crew([Program("up", ("-m", "parley", "up"), variables, folder / "up.log")], port)
    try:
        await crew.answers("/readyz", status=200)
        yield crew, time.monotonic() - began
    finally:
        crew.stop()


async def _grown(database: str, url: str) -> dict[str, dict[str, float]]:
    async with connected(database) as connection:
        await until(connection, DIGESTED)
        return {kind: await _grown_by(connection, url, kind) for kind in PATHS}


async def _grown_by(
    connection: "asyncpg.Connection[asyncpg.Record]", url: str, kind: str
) -> dict[str, float]:
    """How many bytes each table grew by, per message, once all that follows from a message is done."""
    before = {row["name"]: row["bytes"] for row in await connection.fetch(_SIZES)}
    run = await wrk(
        url, "accept", PATHS[kind], kind, f"{time.time_ns():x}", traffic.BUSINESS, str(traffic.FIRST),
        str(traffic.CONVERSATIONS), connections=16, seconds=1,
    )  # fmt: skip
    await until(connection, DIGESTED)
    after = {row["name"]: row["bytes"] for row in await connection.fetch(_SIZES)}
    grown = {name: (after[name] - before[name]) / run.requests for name in after}
    return {name: each for name, each in grown.items() if each >= 1}


def _memory(root: int) -> dict[str, list[int]]:
    found = defaultdict(list)
    for pid in sorted(family(root) - {root}):
        words = command(pid)
        role = next((role for mark, role in _ROLES.items() if mark in words), None)
        if role:
            found[role].append(memory_bytes(pid))
    return {**found, "PostgreSQL": [sum(found["PostgreSQL"])], "parley up": [memory_bytes(root)]}
