"""Small charts as shapes, which a template draws; nothing here knows of HTML."""

from collections.abc import Sequence

import msgspec

_STEPS = (1, 2, 3, 4, 5, 8)
_MINUTE_WIDTH = 12.0
_GAP = 2.0
_LEAST_HEIGHT = 1.5


class Bar(msgspec.Struct, frozen=True):
    """A rectangle of a kind."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class Chart(msgspec.Struct, frozen=True):
    """Bars in a field of this size, whose top stands for `top`; each column says what it is."""

    width: float
    height: float
    top: int
    columns: list[tuple[str, list[Bar]]]


def columns(
    values: Sequence[dict[str, int]], titles: Sequence[str], height: float = 120.0, least: int = 4
) -> Chart:
    """One column a value, the kinds stacked upon each other in their order."""
    top = ceiling(max([least, *(sum(value.values()) for value in values)]))
    drawn = [
        (title, _stack(n * _MINUTE_WIDTH, value, height, top))
        for n, (title, value) in enumerate(zip(titles, values, strict=True))
    ]
    return Chart(len(values) * _MINUTE_WIDTH, height, top, drawn)


def share(parts: dict[str, int], width: float = 400.0, height: float = 8.0) -> list[Bar]:
    """One line cut into its parts."""
    total = sum(parts.values())
    bars, x = [], 0.0
    for kind, part in parts.items():
        if part:
            length = part / total * width
            bars.append(Bar(kind, round(x, 1), 0, round(max(length, 2.0), 1), height))
            x += length
    return bars


def ceiling(value: int) -> int:
    """The next round number."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= value:
                return step * power
        power *= 10


def _stack(x: float, value: dict[str, int], height: float, top: int) -> list[Bar]:
    bars, y = [], height
    for kind, count in value.items():
        if count:
            foot, y = y, max(0.0, y - max(count / top * height, _LEAST_HEIGHT))
            bars.append(Bar(kind, x + _GAP / 2, round(y, 1), _MINUTE_WIDTH - _GAP, round(foot - y, 1)))
    return bars
