"""Ingest and send: the service beside pgbench, beside itself without a store, beside what one writes first."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from bench import traffic
from bench.connected import connected
from bench.figures import Burst
from bench.meter import Meter
from bench.pgbench import pgbench, script
from bench.plan import Plan
from bench.programs import Crew, Yard
from bench.stage import Stage
from bench.wrk import wrk

PATHS = {"ingest": "/api/webhooks/sms", "send": "/api/messages/sms"}
PROCESSES = 2
_OVERHEAD_SECONDS = 0.6

_OPEN_FOR_BASELINE = """
insert into conversations (key, channel, message_count) select key, 'sms', 0 from unnest($1::text[]) key
"""


class Sample(msgspec.Struct, frozen=True):
    """What one burst of load came to, before anybody asked the machine what it took."""

    messages: int
    rate: float
    p50_ms: float
    p99_ms: float
    generator_cores: float = 0.0


class Contender(Protocol):
    """Somebody who takes in messages."""

    name: str

    async def load(self, kind: str, connections: int, seconds: int) -> Sample:
        """Take what comes over that many connections."""

    def busy_seconds(self) -> float:
        """Processor time taken so far, the database's apart."""


class Served:
    """Web processes under wrk; paused while others have their turn."""

    def __init__(self, name: str, crew: Crew) -> None:
        self.name = name
        self._crew = crew
        crew.pause()

    def busy_seconds(self) -> float:
        return self._crew.busy_seconds()

    async def load(self, kind: str, connections: int, seconds: int) -> Sample:
        self._crew.resume()
        try:
            run = await wrk(
                self._crew.url, "accept", PATHS[kind], kind, f"{time.time_ns():x}", traffic.BUSINESS,
                str(traffic.FIRST), str(traffic.CONVERSATIONS), connections=connections, seconds=seconds,
            )  # fmt: skip
        finally:
            self._crew.pause()
        return Sample(run.requests, run.rate, run.p50_ms, run.p99_ms, run.cores)


class Statement:
    """The service's statement under pgbench."""

    name = "pgbench"

    def __init__(self, stage: Stage, url: str) -> None:
        self._stage = stage
        self._url = url
        raw = msgspec.json.encode(
            {"from": traffic.customer(0), "body": traffic.TEXT, "timestamp": "2026-01-01"}
        )
        self._scripts = {
            "ingest": script(traffic.inbound(0, "bench-0", raw + b" " * 60), "bench-0"),
            "send": script(traffic.outbound(0), None),
        }

    def busy_seconds(self) -> float:
        return 0.0

    async def load(self, kind: str, connections: int, seconds: int) -> Sample:
        run = await pgbench(self._stage.server.bin_dir, self._url, self._scripts[kind], connections, seconds)
        return Sample(run.transactions, run.rate, run.p50_ms, run.p99_ms)


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Burst]:
    """Give every contender its turn in every round, so that a noisy machine hits all alike."""
    bursts = []
    async with _contenders(stage) as contenders:
        for number in range(1, plan.rounds + 1):
            for kind, connections in _turns(plan):
                for contender in contenders:
                    if contender.name == "logging" and (kind, connections) != (
                        "ingest",
                        plan.connections[-1],
                    ):
                        continue
                    what = f"{kind}, {connections} connections: {contender.name}"
                    with meter.step(what, plan.seconds + _OVERHEAD_SECONDS):
                        bursts.append(await _burst(stage, contender, number, kind, connections, plan.seconds))
    return bursts


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return plan.rounds * (len(_turns(plan)) * 4 + 1) * (plan.seconds + _OVERHEAD_SECONDS)


def _turns(plan: Plan) -> list[tuple[str, int]]:
    return [(kind, connections) for kind in PATHS for connections in plan.connections]


async def _burst(
    stage: Stage, contender: Contender, number: int, kind: str, connections: int, seconds: int
) -> Burst:
    log = await stage.log_position()
    program, database = contender.busy_seconds(), stage.busy_seconds()
    sample = await contender.load(kind, connections, seconds)
    program, database = contender.busy_seconds() - program, stage.busy_seconds() - database
    log = await stage.log_position() - log
    return Burst(
        round=number, who=contender.name, kind=kind, connections=connections,
        rate=sample.rate, p50_ms=sample.p50_ms, p99_ms=sample.p99_ms, generator_cores=sample.generator_cores,
        program_us=program / sample.messages * 1e6, database_us=database / sample.messages * 1e6,
        log_bytes=log / sample.messages,
    )  # fmt: skip


@asynccontextmanager
async def _contenders(stage: Stage) -> AsyncIterator[list[Contender]]:
    url = await stage.database("accept")
    await traffic.open_conversations(url)
    beside = await stage.database("baseline", migrated=False)
    forgotten = await stage.database("forgotten")
    for_orm = beside.replace("://", "+asyncpg://", 1)
    async with AsyncExitStack() as stack:

        async def served(name: str, *module: str, database: str = url, **variables: str) -> Served:
            yard = Yard(stage.folder / name, database, **variables)
            return Served(name, await stack.enter_async_context(yard.web(PROCESSES, *module)))

        contenders: list[Contender] = [
            await served("parley"),
            Statement(stage, url),
            await served("limit", "bench.limit", database=forgotten),
            await served("baseline", "bench.baseline", BASELINE_URL=for_orm),
            await served("logging", LOG_LEVEL="info"),
        ]
        await _open_for_baseline(beside)
        yield contenders


async def _open_for_baseline(url: str) -> None:
    """What `traffic.open_conversations` does for the service, in the baseline's own table."""
    keys = [
        "sms:" + "<->".join(sorted((traffic.BUSINESS, traffic.customer(n))))
        for n in range(traffic.CONVERSATIONS)
    ]
    async with connected(url) as connection:
        await connection.execute(_OPEN_FOR_BASELINE, keys)
