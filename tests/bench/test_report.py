"""The report says everything that was measured, and is legible."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bench.delivery import Round
from bench.figures import Burst, Bursts
from bench.footprint import Footprint
from bench.indexing import Pair
from bench.live import STREAMS, Delay
from bench.plan import FULL, QUICK, Plan
from bench.plots import CONTENDERS
from bench.reads import KINDS, Read
from bench.report import write
from bench.results import Machine, Results
from bench.svg import nice_steps, spread
from bench.targets import targets

_MACHINE = Machine("a processor", 2, 24.0, "Linux 6", "3.11.7", "18.4", "4.1.0", {"asyncpg": "0.32.0"})


def results(plan: Plan, speed: float = 1.0) -> Results:
    """A run in which the service is so many times as fast as it has to be."""
    rates = {"parley": 3000 * speed, "pgbench": 1000, "limit": 6000, "baseline": 250, "logging": 2500}
    return Results(
        machine=_MACHINE, plan=plan, at=datetime(2026, 11, 1, tzinfo=UTC), minutes=12.0,
        accept=[
            Burst(round=number, who=who, kind=kind, connections=count, rate=rate, p50_ms=2.0, p99_ms=5.0,
                  generator_cores=0.1, program_us=50.0, database_us=40.0, log_bytes=2000.0)
            for number in range(plan.rounds) for kind in ("ingest", "send") for count in plan.connections
            for who, rate in rates.items()
        ],
        indexing=[Pair(without=10_000, indexing=9_500 * min(speed, 1), share=0.02)] * plan.rounds,
        delivery=[
            Round(round=number, bare=4000, reported=2000, parley=1600 * speed, procrastinate=400, pgqueuer=900,
                  end_to_end=1500 * speed)
            for number in range(plan.rounds)
        ],
        reads=[
            Read(round=number, kind=kind, messages=size, rate=900, p50_ms=3.0, p99_ms=6.0)
            for number in range(plan.rounds) for kind in KINDS for size in plan.sizes
            if kind != "search" or size in plan.searched
        ],
        live=[Delay(round=number, streams=count, p50_ms=20, p99_ms=60) for number in range(plan.rounds) for count in STREAMS],
        footprint=Footprint(
            first_start_seconds=2.0, start_seconds=1.0, memory={"web process": [50 << 20, 51 << 20]},
            table_bytes={"ingest": {"messages": 500.0}, "send": {"messages": 500.0, "attempts": 200.0}},
        ),
    )  # fmt: skip


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_every_figure_finds_its_place(plan: Plan, tmp_path: Path) -> None:
    """The page names every contender, size and promise, and shows pictures that are there and well-formed."""
    run = msgspec.json.decode(msgspec.json.encode(results(plan)), type=Results)
    page = write(run, tmp_path).read_text()
    for words in (
        *CONTENDERS.values(),
        *KINDS,
        *(f"{size:,}" for size in plan.sizes),
        "a processor",
        "asyncpg 0.32.0",
    ):
        assert words in page
    for target in targets(run):
        assert f"| {target.name} | {target.wanted} | {target.measured} |" in page
    pictures = sorted(tmp_path.joinpath("plots").iterdir())
    assert pictures
    for picture in pictures:
        assert f"plots/{picture.name}" in page
        assert ET.parse(picture).getroot().tag.endswith("svg")
        assert "prefers-color-scheme: dark" in picture.read_text()


def test_a_promise_is_kept_or_missed_and_never_hidden(tmp_path: Path) -> None:
    """What is too slow is written down as missed, with a reason."""
    assert all(target.met for target in targets(results(FULL, speed=1.2)) if "pgqueuer" not in target.name)
    slow = results(FULL, speed=0.5)
    missed = [target for target in targets(slow) if not target.met]
    page = write(slow, tmp_path).read_text()
    assert {"ingest, 256 connections, beside pgbench", "delivery, beside a bare loop"} <= {
        target.name for target in missed
    }
    assert page.count("**missed**: ") == len(missed)


def test_ratios_are_of_the_same_round() -> None:
    """A minute in which the machine was slow changes both sides of a ratio, and not the ratio."""
    bursts = [
        msgspec.structs.replace(burst, rate=burst.rate / (10 if burst.round == 1 else 1))
        for burst in results(FULL).accept
    ]
    assert Bursts(bursts).ratio("ingest", 256, "parley", "pgbench", lambda burst: burst.rate) == 3


def test_scales_end_above_what_they_show() -> None:
    """And begin at zero, with few lines."""
    for highest in (0.3, 1, 7.2, 99, 100, 101, 39_000, 123_456):
        steps = nice_steps(highest)
        assert steps[0] == 0
        assert highest <= steps[-1] <= 2.5 * highest
        assert 2 <= len(steps) <= 7


def test_labels_do_not_overlap() -> None:
    """They keep their order and their distance."""
    moved = spread([30.0, 10.0, 12.0], 5.0)
    assert moved == [30.0, 10.0, 15.0]
