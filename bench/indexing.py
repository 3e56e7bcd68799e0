"""What indexing for search costs those who bring messages: ingest with the worker beside ingest without."""

import os
import signal
import time
from datetime import UTC, datetime

import msgspec

from bench import traffic
from bench.accept import PATHS, PROCESSES
from bench.connected import connected
from bench.meter import Meter
from bench.plan import Plan
from bench.proc import busy_seconds
from bench.programs import Program, Yard
from bench.stage import Stage
from bench.waiting import AT_WORK, until
from bench.wrk import wrk

_CONNECTIONS = 64
_SECONDS = 1
_OVERHEAD_SECONDS = 0.2

_BACKENDS = "select pid from pg_stat_activity where application_name in ('parley work', 'parley follow')"


class Pair(msgspec.Struct, frozen=True):
    """Messages taken in a second, one burst right after the other."""

    without: float
    indexing: float
    share: float
    """What the worker and its connections took of all processor time while they indexed."""


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Pair]:
    """Stop the worker and let it go on in turn; whether it is first or second alternates too."""
    url = await stage.database("indexing")
    await traffic.open_conversations(url)
    yard = Yard(stage.folder / "indexing", url)
    pairs: list[Pair] = []
    async with yard.web(PROCESSES) as web:
        worker = yard.program("worker", "-m", "parley", "work")
        try:
            await _at_work(url)
            for number in range(plan.pairs + 1):
                rates, busy = {}, {}
                for going in (True, False) if number % 2 else (False, True):
                    worker.signal(signal.SIGCONT if going else signal.SIGSTOP)
                    with meter.step("ingest with and without indexing", _SECONDS + _OVERHEAD_SECONDS):
                        before = await _busy_seconds(worker, url)
                        rates[going] = await _burst(web.url, _SECONDS)
                        busy[going] = await _busy_seconds(worker, url) - before
                share = busy[True] / (_SECONDS * len(os.sched_getaffinity(0)))
                pairs.append(Pair(without=rates[False], indexing=rates[True], share=share))
        finally:
            worker.check()
            worker.stop()
    return pairs[1:]  # the first warms up


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return (plan.pairs + 1) * 2 * (_SECONDS + _OVERHEAD_SECONDS)


async def _at_work(url: str) -> None:
    async with connected(url) as connection:
        await until(connection, AT_WORK, datetime.min.replace(tzinfo=UTC))


async def _busy_seconds(worker: Program, url: str) -> float:
    async with connected(url) as connection:
        backends = [row["pid"] for row in await connection.fetch(_BACKENDS)]
    return worker.busy_seconds() + busy_seconds(backends)


async def _burst(url: str, seconds: int) -> float:
    run = await wrk(
        url, "accept", PATHS["ingest"], "ingest", f"{time.time_ns():x}", traffic.BUSINESS, str(traffic.FIRST),
        str(traffic.CONVERSATIONS), connections=_CONNECTIONS, seconds=seconds,
    )  # fmt: skip
    return run.rate
