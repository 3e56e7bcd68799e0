"""Moments in a reader's words."""

from datetime import UTC, datetime, timedelta

import pytest

from parley.web import times

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-90), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "11:30"),
        (timedelta(hours=13), "Yesterday"),
        (timedelta(days=2), "Mon"),
        (timedelta(days=6), "Thu"),
        (timedelta(days=7), "25 Feb"),
        (timedelta(days=80), "14 Dec 2025"),
    ],
)
def test_ages_say_what_matters(ago: timedelta, said: str) -> None:
    """Minutes while they matter, then the hour, the day, the date."""
    assert times.brief(NOW - ago, NOW, UTC) == said


def test_days_begin_where_the_reader_is() -> None:
    """Midnight in Auckland is not midnight in Greenwich."""
    auckland = times.zone("Pacific/Auckland")
    assert times.day(NOW - timedelta(hours=2), NOW, UTC) == "Today"
    assert times.day(NOW - timedelta(hours=2), NOW, auckland) == "Yesterday"
    assert times.day(NOW - timedelta(days=9), NOW, UTC) == "Monday, 23 Feb"
    assert times.clock(NOW, auckland) == "01:30"


@pytest.mark.parametrize("name", ["", "Nowhere/At_All", "../../etc/passwd", "\0", "a" * 64])
def test_an_unknown_zone_is_utc(name: str) -> None:
    """The name comes from a cookie, and is only believed if it makes sense."""
    assert times.zone(name) is UTC


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.012, "12 ms"), (4.24, "4.2 s"), (42, "42 s"), (90, "1 min 30 s"), (1500, "25 min"), (3700, "1 h 1 min"),
     (7200, "2 h"), (90000, "1 d 1 h"), (172800, "2 d")],
)  # fmt: skip
def test_spans_have_two_units_at_most(seconds: float, said: str) -> None:
    """A duration is said as one would say it."""
    assert times.span(seconds) == said
