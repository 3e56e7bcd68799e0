"""What indexing for search costs those who bring messages: ingest with the worker beside ingest without."""

import signal
import time

import msgspec

from bench import traffic
from bench.accept import PATHS, PROCESSES
from bench.meter import Meter
from bench.plan import Plan
from bench.programs import Yard
from bench.stage import Stage
from bench.wrk import wrk

_PAIRS_A_ROUND = 2
_CONNECTIONS = 64
_OVERHEAD_SECONDS = 0.2


class Pair(msgspec.Struct, frozen=True):
    """Messages taken in a second, one burst right after the other."""

    without: float
    indexing: float


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Pair]:
    """Stop the worker and let it go on in turn; whether it is first or second alternates too."""
    url = await stage.database("indexing")
    await traffic.open_conversations(url)
    yard = Yard(stage.folder / "indexing", url)
    pairs = []
    async with yard.web(PROCESSES) as web:
        worker = yard.program("worker", "-m", "parley", "work")
        try:
            for number in range(plan.rounds * _PAIRS_A_ROUND):
                rates = {}
                for going in (True, False) if number % 2 else (False, True):
                    worker.signal(signal.SIGCONT if going else signal.SIGSTOP)
                    with meter.step("ingest with and without indexing", plan.seconds + _OVERHEAD_SECONDS):
                        rates[going] = await _burst(web.url, plan.seconds)
                pairs.append(Pair(without=rates[False], indexing=rates[True]))
        finally:
            worker.check()
            worker.stop()
    return pairs[1:]  # the first warms up


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return plan.rounds * _PAIRS_A_ROUND * 2 * (plan.seconds + _OVERHEAD_SECONDS)


async def _burst(url: str, seconds: int) -> float:
    run = await wrk(
        url, "accept", PATHS["ingest"], "ingest", f"{time.time_ns():x}", traffic.BUSINESS, str(traffic.FIRST),
        str(traffic.CONVERSATIONS), connections=_CONNECTIONS, seconds=seconds,
    )  # fmt: skip
    return run.rate
