"""Writes the report and its plots from the results of a run."""

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import jinja2

from bench import plots
from bench.figures import middle
from bench.live import STREAMS
from bench.reads import CONNECTIONS, KINDS
from bench.results import Results
from bench.targets import targets

_TEMPLATES = Path(__file__).parent


def write(results: Results, folder: Path) -> Path:
    """Write `performance.md` and `plots/` into a folder."""
    drawn = folder / "plots"
    drawn.mkdir(parents=True, exist_ok=True)
    for name, picture in _pictures(results).items():
        drawn.joinpath(f"{name}.svg").write_text(picture, encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["megabytes"] = lambda size: f"{size / 2**20:.0f}"
    text = environment.get_template("report.md.j2").render(**_words(results))
    report = folder / "performance.md"
    report.write_text(text, encoding="utf-8")
    return report


def _pictures(results: Results) -> dict[str, str]:
    bursts, plan = results.bursts, results.plan
    return {
        "headline": plots.headline(bursts, plan.connections[-1]),
        "throughput": plots.throughput(bursts, plan.connections),
        "latency": plots.latency(bursts, plan.connections),
        "delivery": plots.delivery(results.delivery),
        "reads": plots.reads(results.reads, plan.sizes),
        "live": plots.live(results.live),
    }


def _words(results: Results) -> dict[str, object]:
    """Everything that the template names."""
    return {
        "results": results,
        "machine": results.machine,
        "plan": results.plan,
        "bursts": results.bursts,
        "contenders": plots.CONTENDERS,
        "streams": STREAMS,
        "kinds": KINDS,
        "read_connections": CONNECTIONS,
        "targets": targets(results),
        "field": attrgetter,
        "over": _over,
        "middle": middle,
        "only": _only,
        "generator_cores": max(burst.generator_cores for burst in results.accept if burst.who != "pgbench"),
    }


def _over(one: str, other: str) -> Callable[[object], float]:
    """The ratio of two fields of a round."""
    return lambda row: float(getattr(row, one) / getattr(row, other))


def _only(rows: list[object], **having: object) -> list[object]:
    return [row for row in rows if all(getattr(row, name) == value for name, value in having.items())]
