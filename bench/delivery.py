"""Delivery: from accepted to settled, beside a bare loop and two queues; and all the way to the status."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import asyncpg
import msgspec

from bench import traffic
from bench.accept import PATHS, PROCESSES
from bench.connected import connected
from bench.meter import Meter
from bench.plan import Plan
from bench.programs import Crew, Program, Yard
from bench.rivals.call import Jobs
from bench.stage import Stage
from bench.waiting import AT_WORK, DELIVERED, DIGESTED, SETTLED, until
from bench.wrk import BenchError, wrk
from parley.db.pool import open_database
from parley.messages.store import store

QUEUES = ("procrastinate", "pgqueuer")
_BLOCK = 250
_DIGEST_SECONDS = 6
_WARM_UP = 500
_CLIENTS = 256
# Sent, and delivered.
_REPORTS = 2

_SPAN = """
select count(*) as jobs, extract(epoch from clock_timestamp() - min(started_at))::float8 as seconds
from attempts where outcome = 'accepted' and started_at >= $1
"""
_SENT = """
select count(*) as messages, extract(epoch from clock_timestamp() - min(created_at))::float8 as seconds
from messages where direction = 'outbound' and created_at >= $1
"""


class Round(msgspec.Struct, frozen=True):
    """What each came to in one round, in messages a second."""

    round: int
    bare: float
    reported: float
    """The bare loop until all is reported, as far as the whole way goes."""
    parley: float
    procrastinate: float
    pgqueuer: float
    end_to_end: float


class Company:
    """The service with its simulators, its database, and its rivals' databases."""

    def __init__(self, yard: Yard, web: Crew, simulators: Crew, url: str, rivals: dict[str, str]) -> None:
        self._yard = yard
        self._web = web
        self._simulators = simulators
        self._url = url
        self._rivals = rivals

    async def rival(self, name: str, jobs: int, reports: int = 0) -> float:
        """Let a rival deliver so many messages, with so many reports on each."""
        await self.report(lost=reports == 0)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"bench.rivals.{name}", f"--jobs={jobs}",
            f"--reports={reports}", f"--simulator={self._simulators.url}",
            f"--database-url={self._rivals.get(name, self._url)}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await process.communicate()
        if process.returncode != 0:
            raise BenchError(f"{name} failed: {errors.decode(errors='replace').strip()[-500:]}")
        return msgspec.json.decode(output, type=Jobs).rate

    async def parley(self, jobs: int) -> float:
        """Accept so many messages; then let a worker deliver them."""
        await self.report(lost=True)
        async with connected(self._url) as connection, self._worker(connection) as worker:
            worker.signal(signal.SIGSTOP)
            began = await connection.fetchval("select clock_timestamp()")
            await _accept(self._url, jobs)
            worker.signal(signal.SIGCONT)
            await until(connection, SETTLED)
            row = await connection.fetchrow(_SPAN, began)
        assert row is not None
        if row["jobs"] != jobs:
            raise BenchError(f"{row['jobs']} of {jobs} messages were delivered at the first attempt")
        return float(row["jobs"] / row["seconds"])

    async def end_to_end(self, connections: int) -> float:
        """Post for two seconds; then wait until the provider has reported each as delivered.

        It begins with the first message, as with the bare loop, whose connections are open by then.
        """
        await self.report(lost=False)
        async with connected(self._url) as connection, self._worker(connection, reported=True):
            began = await connection.fetchval("select clock_timestamp()")
            await wrk(
                self._web.url, "accept", PATHS["send"], "send", "", traffic.BUSINESS, str(traffic.FIRST),
                str(traffic.CONVERSATIONS), connections=connections, seconds=2,
            )  # fmt: skip
            await until(connection, SETTLED)
            await until(connection, DELIVERED, began)
            row = await connection.fetchrow(_SENT, began)
        assert row is not None
        return float(row["messages"] / row["seconds"])

    async def digest(self) -> None:
        """Let a worker do what it does when it has time, which is not what is measured."""
        async with connected(self._url) as connection, self._worker(connection):
            await until(connection, DIGESTED)

    async def report(self, *, lost: bool) -> None:
        """Have the simulators report what becomes of messages, or not."""
        faults = {"callback_lost_pct": 100 if lost else 0}
        where = f"{self._simulators.url}/control/faults"
        async with aiohttp.ClientSession() as http, http.put(where, json=faults) as answer:
            answer.raise_for_status()

    @asynccontextmanager
    async def _worker(
        self, connection: "asyncpg.Connection[asyncpg.Record]", *, reported: bool = False
    ) -> AsyncIterator[Program]:
        """Lend a worker that has worked already: its statements are planned, its connections open."""
        began = await connection.fetchval("select clock_timestamp()")
        worker = self._yard.program("worker", "-m", "parley", "work")
        try:
            await until(connection, AT_WORK, began)
            await _accept(self._url, _WARM_UP)
            await until(connection, SETTLED)
            if reported:
                await until(connection, DELIVERED, began)
            yield worker
        finally:
            worker.check()
            worker.stop()


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Round]:
    """Let each have its turn in every round."""
    rounds = []
    async with _company(stage) as company:
        with meter.step("delivery: indexing", _DIGEST_SECONDS):
            await company.digest()
        for number in range(1, plan.rounds + 1):
            found = {}
            with meter.step("delivery: a bare loop", 3):
                found["bare"] = await company.rival("bare", plan.jobs)
                found["reported"] = await company.rival("bare", plan.jobs, _REPORTS)
            with meter.step("delivery: parley", 6):
                found["parley"] = await company.parley(plan.jobs)
            with meter.step("delivery: pgqueuer", 4):
                found["pgqueuer"] = await company.rival("pgqueuer", plan.jobs)
            with meter.step("delivery: procrastinate", 4):
                found["procrastinate"] = await company.rival("procrastinate", plan.jobs // 4)
            with meter.step("end to end", 6):
                found["end_to_end"] = await company.end_to_end(_CLIENTS)
            rounds.append(Round(number, **found))
    return rounds


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return plan.rounds * (12 + 3 * plan.jobs / 1000) + _DIGEST_SECONDS


@asynccontextmanager
async def _company(stage: Stage) -> AsyncIterator[Company]:
    url = await stage.database("delivery")
    await traffic.open_conversations(url)
    rivals = {name: await stage.database(name, migrated=False) for name in QUEUES}
    yard = Yard(stage.folder / "delivery", url)
    async with AsyncExitStack() as stack:
        simulators = await stack.enter_async_context(yard.simulators())
        web = await stack.enter_async_context(yard.web(PROCESSES))
        yield Company(yard, web, simulators, url, rivals)


async def _accept(url: str, jobs: int) -> None:
    drafts = [traffic.outbound(n % traffic.CONVERSATIONS) for n in range(jobs)]
    async with open_database(url, 1, "bench") as db:
        for start in range(0, len(drafts), _BLOCK):
            await store(db, drafts[start : start + _BLOCK])
