"""Moments in a reader's words; his time zone comes with the request, now is an argument."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A time zone by its name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (OSError, ValueError, KeyError):
        return UTC


def brief(at: datetime, now: datetime, where: tzinfo) -> str:
    """The age of something in a list: minutes while they matter, then the hour, the day, the date."""
    age = (now - at).total_seconds()
    if age < 60:
        return "now"
    if age < 3600:
        return f"{int(age // 60)} min"
    then, today = at.astimezone(where), now.astimezone(where)
    days = (today.date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    if days == 1:
        return "Yesterday"
    if days < 7:
        return f"{then:%a}"
    return _date(then, today)


def day(at: datetime, now: datetime, where: tzinfo) -> str:
    """The name of a day that stands between messages."""
    then, today = at.astimezone(where), now.astimezone(where)
    days = (today.date() - then.date()).days
    if days in (0, 1):
        return ("Today", "Yesterday")[days]
    return f"{then:%A}, {_date(then, today)}"


def clock(at: datetime, where: tzinfo) -> str:
    """The time of day."""
    return f"{at.astimezone(where):%H:%M}"


def full(at: datetime, where: tzinfo) -> str:
    """A moment without any doubt."""
    then = at.astimezone(where)
    return f"{then:%A}, {then.day} {then:%B %Y, %H:%M:%S} {then.tzname()}"


def span(seconds: float) -> str:
    """A duration in its two largest useful units."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _date(then: datetime, today: datetime) -> str:
    return f"{then.day} {then:%b}" if then.year == today.year else f"{then.day} {then:%b %Y}"
