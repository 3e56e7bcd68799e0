"""The plots of the report: one function a picture."""

import math
from collections.abc import Sequence

from bench.delivery import Round
from bench.figures import Bursts, middle
from bench.live import STREAMS, Delay
from bench.reads import KINDS, Read
from bench.svg import WIDTH, Sheet, nice_steps, short, spread

CONTENDERS = {
    "limit": "HTTP alone, nothing stored",
    "parley": "Parley",
    "pgbench": "pgbench, one a transaction",
    "baseline": "FastAPI + SQLAlchemy",
}
_LEFT, _TOP = 64, 96


def headline(bursts: Bursts, connections: int) -> str:
    """The one picture for somebody in a hurry."""
    shown = ("parley", "pgbench", "baseline")
    rates = {who: bursts.median(who, "ingest", connections, lambda burst: burst.rate) for who in shown}
    sheet = Sheet(
        _TOP + 46 * len(shown),
        "Messages stored a second, each answered after its commit",
        f"{connections} connections, two cores for load, service and database together; longer is better",
    )
    for n, who in enumerate(shown):
        times = bursts.ratio("ingest", connections, "parley", who, lambda burst: burst.rate)
        note = "" if who == "parley" else f"Parley stores {times:.1f} × as many"
        _bar(
            sheet,
            84 + 46 * n,
            CONTENDERS[who],
            rates[who] / max(rates.values()),
            short(rates[who]),
            who,
            note,
        )
    return str(sheet)


def throughput(bursts: Bursts, connections: Sequence[int]) -> str:
    """Messages a second over connections, ingest beside send."""
    height = 300
    sheet = Sheet(_TOP + height, "Messages a second", "by open connections; all on the same two cores")
    rates = {
        (kind, who): [bursts.median(who, kind, count, lambda burst: burst.rate) for count in connections]
        for kind in ("ingest", "send")
        for who in CONTENDERS
    }
    steps = nice_steps(max(max(series) for series in rates.values()))
    for n, kind in enumerate(("ingest", "send")):
        left, right, bottom = _LEFT + n * 270, _LEFT + n * 270 + 225, _TOP + height - 60
        sheet.text(left, _TOP - 12, "in: webhooks" if kind == "ingest" else "out: sends", "head")
        _scale(sheet, steps, left, right, bottom, labelled=n == 0)
        places = [
            left + 12 + m * (right - left - 24) / (len(connections) - 1) for m in range(len(connections))
        ]
        for place, count in zip(places, connections, strict=True):
            sheet.text(place, bottom + 20, str(count), "soft small", "middle")
        for who in CONTENDERS:
            heights = [_height(rate, steps, bottom) for rate in rates[kind, who]]
            sheet.path(list(zip(places, heights, strict=True)), who + (" dashed" if who == "limit" else ""))
            for place, y in zip(places, heights, strict=True):
                sheet.dot(place, y, who)
    ends = [_height(rates["send", who][-1], steps, _TOP + height - 60) for who in CONTENDERS]
    for (who, name), y in zip(CONTENDERS.items(), spread(ends, 30), strict=True):
        head, _, rest = name.partition(", ")
        sheet.text(_LEFT + 508, y, head.replace("FastAPI + ", "FastAPI, "), f"{who} strong small")
        sheet.text(_LEFT + 508, y + 13, rest, f"{who} small")
    sheet.text(_LEFT, _TOP + height - 14, "open connections", "soft small")
    return str(sheet)


def latency(bursts: Bursts, connections: Sequence[int]) -> str:
    """From the median to the 99th percentile, on a scale on which each line is ten times the one before."""
    rows = [(kind, count) for kind in ("ingest", "send") for count in connections]
    who = ("parley", "pgbench", "baseline")
    sheet = Sheet(
        _TOP + 60 * len(rows) + 40, "How long one message takes",
        "from the median to the 99th percentile, in milliseconds; each grid line is ten times the one before",
    )  # fmt: skip
    left, right, low, high = 190, WIDTH - 60, -1, 4

    def place(ms: float) -> float:
        return left + (math.log10(ms) - low) / (high - low) * (right - left)

    bottom = _TOP + 60 * len(rows)
    for power in range(low, high + 1):
        sheet.line(place(10.0**power), _TOP - 18, place(10.0**power), bottom)
        sheet.text(place(10.0**power), bottom + 18, f"{10.0**power:g} ms", "soft small", "middle")
    for n, (kind, count) in enumerate(rows):
        y = _TOP + 60 * n
        sheet.text(
            24,
            y + 14,
            f"{'in' if kind == 'ingest' else 'out'}, {count} connection{'s' * (count > 1)}",
            "small",
        )
        for m, name in enumerate(who):
            ends = [bursts.median(name, kind, count, of) for of in (lambda b: b.p50_ms, lambda b: b.p99_ms)]
            _dumbbell(sheet, place(ends[0]), place(ends[1]), y + 15 * m - 4, name)
            if n == 0:
                sheet.text(place(ends[1]) + 10, y + 15 * m, CONTENDERS[name], f"{name} small strong")
    return str(sheet)


def delivery(rounds: Sequence[Round]) -> str:
    """Messages carried a second."""
    rows = {
        "a bare loop of requests": ("limit", middle(rounds, lambda one: one.bare)),
        "Parley, accepted to settled": ("parley", middle(rounds, lambda one: one.parley)),
        "pgqueuer, the same request": ("pgbench", middle(rounds, lambda one: one.pgqueuer)),
        "procrastinate, the same request": ("baseline", middle(rounds, lambda one: one.procrastinate)),
        "a bare loop that waits for the reports": ("limit", middle(rounds, lambda one: one.reported)),
        "Parley, POST to reported status": ("parley", middle(rounds, lambda one: one.end_to_end)),
    }
    sheet = Sheet(
        _TOP + 46 * len(rows), "Messages handed to a provider a second",
        "one worker process and the simulated provider on two cores; longer is better",
    )  # fmt: skip
    most = rows["a bare loop of requests"][1]
    longest = max(rate for _, rate in rows.values())
    for n, (name, (style, rate)) in enumerate(rows.items()):
        note = "" if rate == most else f"{rate / most:.0%} of the bare loop"
        _bar(sheet, 84 + 46 * n, name, rate / longest, short(rate), style, note)
    return str(sheet)


def reads(found: Sequence[Read], sizes: Sequence[int]) -> str:
    """Median and 99th percentile of each kind of question, by how many messages there are."""
    height, width = 250, 160
    sheet = Sheet(
        _TOP + height, "How long a question takes, by how many messages there are",
        "milliseconds: the 99th percentile above, the median below; level lines mean that size does not matter",
    )  # fmt: skip
    bottom = _TOP + height - 50
    for n, kind in enumerate(KINDS):
        left = 56 + n * (width + 18)
        asked = [size for size in sizes if any((one.kind, one.messages) == (kind, size) for one in found)]
        slow, usual = (
            [middle([one for one in found if (one.kind, one.messages) == (kind, size)], of) for size in asked]
            for of in (lambda one: one.p99_ms, lambda one: one.p50_ms)
        )
        steps = nice_steps(max(slow), 4)
        sheet.text(left, _TOP - 12, kind, "head")
        _scale(sheet, steps, left, left + width - 26, bottom, labelled=True)
        places = [left + 14 + m * (width - 54) / (len(sizes) - 1) for m in range(len(sizes))]
        for series, style, name in ((slow, "parley", "p99"), (usual, "limit", "p50")):
            points = [(x, _height(value, steps, bottom)) for x, value in zip(places, series, strict=False)]
            sheet.path(points, style)
            for x, y in points:
                sheet.dot(x, y, style)
            sheet.text(points[-1][0], points[-1][1] - 9, name, f"{style} small strong", "end")
        for x, size in zip(places, sizes, strict=True):
            sheet.text(x, bottom + 20, short(size), "soft small", "middle")
    return str(sheet)


def live(delays: Sequence[Delay]) -> str:
    """From a webhook to its event on every stream."""
    sheet = Sheet(
        _TOP + 46 * len(STREAMS), "From a webhook to its event on every open stream",
        "milliseconds: the median, and pale up to the 99th percentile; shorter is better",
    )  # fmt: skip
    usual, slow = (
        [middle([one for one in delays if one.streams == count], of) for count in STREAMS]
        for of in (lambda one: one.p50_ms, lambda one: one.p99_ms)
    )
    for n, count in enumerate(STREAMS):
        name, note = f"{count:,} open stream{'s' * (count > 1)}", f"{usual[n]:.0f} · {slow[n]:.0f} ms"
        _bar(sheet, 84 + 46 * n, name, slow[n] / max(slow), note, "parley faint")
        _bar(sheet, 84 + 46 * n, "", usual[n] / max(slow), "", "parley")
    return str(sheet)


def _bar(sheet: Sheet, y: float, name: str, part: float, value: str, style: str, note: str = "") -> None:
    left, longest = 24, WIDTH - 24 - 24 - 250
    sheet.text(left, y, name, "small")
    sheet.bar(left, y + 7, part * longest, 15, style)
    sheet.text(left + part * longest + 9, y + 19, value, "small strong")
    sheet.text(left + part * longest + 23 + 7 * len(value), y + 19, note, "small soft")


def _dumbbell(sheet: Sheet, start: float, end: float, y: float, style: str) -> None:
    sheet.path([(start, y), (end, y)], style)
    sheet.dot(start, y, style)
    sheet.dot(end, y, style, 2.2)


def _scale(
    sheet: Sheet, steps: Sequence[float], left: float, right: float, bottom: float, *, labelled: bool
) -> None:
    for step in steps:
        y = _height(step, steps, bottom)
        sheet.line(left, y, right, y)
        if labelled:
            sheet.text(left - 8, y + 4, short(step), "soft small", "end")


def _height(value: float, steps: Sequence[float], bottom: float) -> float:
    return bottom - value / steps[-1] * (bottom - _TOP)
