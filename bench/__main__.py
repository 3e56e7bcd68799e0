"""Measures the service on this machine and writes down what it found. QUICK=1 for a rough version in two minutes."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop

from bench import accept, delivery, footprint, indexing, live, reads
from bench.connected import connected
from bench.meter import Meter
from bench.plan import FULL, QUICK, Plan
from bench.report import write
from bench.results import Machine, Results, now
from bench.stage import stage
from bench.targets import targets
from bench.wrk import BenchError

_ROOT = Path(__file__).parents[1]
_SECTIONS = (accept, indexing, delivery, live, footprint, reads)


async def run(plan: Plan) -> Results:
    """Measure everything."""
    _stop_when_told()
    began, at = time.monotonic(), now()
    planned = sum(section.planned_seconds(plan) for section in _SECTIONS)
    with Meter.running(planned) as meter:
        async with stage() as place:
            async with connected(place.server.url) as connection:
                machine = Machine.here(str(await connection.fetchval("show server_version")))
            return Results(
                machine=machine, plan=plan, at=at,
                accept=await accept.measure(place, plan, meter),
                indexing=await indexing.measure(place, plan, meter),
                delivery=await delivery.measure(place, plan, meter),
                live=await live.measure(place, plan, meter),
                footprint=await footprint.measure(place, plan, meter),
                reads=await reads.measure(place, plan, meter),
                minutes=(time.monotonic() - began) / 60,
            )  # fmt: skip


def _check_room(plan: Plan) -> None:
    """Refuse before anything is loaded, rather than fail with a full disk."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < plan.disk_bytes:
        needed = plan.disk_bytes / 2**30
        raise BenchError(
            f"{tempfile.gettempdir()} has {free / 2**30:.0f} GB free, but this takes {needed:.0f}; set TMPDIR"
        )


def _stop_when_told() -> None:
    """Ctrl-C and its like end the run in order, so that nothing is left behind."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def main() -> None:
    """Read the command line, measure, write."""
    plan = QUICK if os.environ.get("QUICK", "0") not in ("", "0") else FULL
    # The rough figures of a quick run shall not take the place of those that are shown.
    folder = _ROOT / ("build/performance" if plan.quick else "docs")
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--folder", type=Path, default=folder, help="where the report goes")
    parser.add_argument("--again", type=Path, help="write the report again from the JSON of an earlier run")
    given = parser.parse_args()
    try:
        _check_room(plan)
        results = _read(given.again) if given.again else uvloop.run(run(plan))
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except asyncio.CancelledError:
        sys.exit("bench: stopped")
    report = write(results, given.folder)
    saved = _ROOT / "build/performance.json"
    saved.parent.mkdir(exist_ok=True)
    saved.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    for target in targets(results):
        print(
            f"{'met   ' if target.met else 'missed'} {target.name}: {target.measured} (wanted {target.wanted})"
        )
    print(f"written to {report} in {results.minutes:.1f} minutes; figures in {saved}")


def _read(path: Path) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results)


if __name__ == "__main__":
    main()
