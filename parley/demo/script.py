"""Reads the stories and draws the chatter: what is said, by whom and when, the same for the same seed."""

import re
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from random import Random
from typing import Any

import msgspec

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LINE = re.compile(r"([<>]) (?:\+(\d+[smhd]) )?(?:\{([\w.]+)\} ?)?(?:(.+?) \| )?(.*)", re.DOTALL)
_WEEKS = 3


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the demo; `id` is the same in every run."""

    id: str
    at: datetime
    inbound: bool
    contact: str
    own: str
    channel: str
    text: str
    picture: str
    subject: str


def lines(seed: int, now: datetime) -> list[Line]:
    """Everything that was said, in the order in which it was said."""
    stories = tomllib.loads(files("parley.demo").joinpath("stories.toml").read_text(encoding="utf-8"))
    dice = Random(seed)  # noqa: S311 - what people say guards nothing
    told = [
        line
        for n, story in enumerate(stories["story"])
        for line in _story(stories, story, f"{seed}-s{n}", now)
    ]
    told += [
        line
        for n in range(stories["chatter"]["contacts"])
        for line in _chat(stories, dice, f"{seed}-c{n}", n, now)
    ]
    told += _long(stories, dice, f"{seed}-l", now)
    return sorted(told, key=lambda line: line.at)


def _story(stories: dict[str, Any], story: dict[str, Any], id: str, now: datetime) -> Iterator[Line]:
    said = [match for raw in story["lines"].strip().splitlines() if (match := _LINE.fullmatch(raw))]
    at = now - _span(story["ago"]) - sum((_span(match[2]) for match in said[1:]), timedelta())
    subject = ""
    for n, match in enumerate(said):
        at += _span(match[2]) if n else timedelta()
        subject = match[4] or subject
        text = match[5]
        if text.startswith("[") and text.endswith("]"):
            text = stories["letters"][text[1:-1]].strip()
        yield _line(stories, story["contact"], f"{id}-{n}", at, match[1] == "<", text.replace("\\n", "\n"),
                    match[3] or "", subject)  # fmt: skip


def _chat(stories: dict[str, Any], dice: Random, id: str, n: int, now: datetime) -> Iterator[Line]:
    """A short exchange with somebody, at some time of a working day of the last weeks."""
    chatter = stories["chatter"]
    day = now - timedelta(days=dice.uniform(1.2, 7 * _WEEKS))
    at = day.replace(hour=dice.randint(8, 18), minute=dice.randint(0, 59), second=dice.randint(0, 59))
    parts = ("openings", "answers", "replies", "closings")[: dice.choice((2, 3, 3, 4, 4))]
    for step, part in enumerate(parts):
        yield _line(stories, f"+1{_area(n)}55501{n:02d}", f"{id}-{step}", at, step % 2 == 0,
                    dice.choice(chatter[part]), "", "")  # fmt: skip
        at += timedelta(minutes=dice.choice((1, 2, 3, 5, 9, 14, 40)), seconds=dice.randint(0, 59))


def _long(stories: dict[str, Any], dice: Random, id: str, now: datetime) -> Iterator[Line]:
    """Two people who write to each other all the time."""
    long = stories["long"]
    count, end = long["messages"], now - _span(long["ago"])
    span = timedelta(days=7 * _WEEKS) / count
    for n in range(count):
        inbound = dice.random() < 0.55
        text = dice.choice(long["customer" if inbound else "us"])
        match = re.fullmatch(r"(?:\{([\w.]+)\} ?)?(.*)", text)
        assert match is not None
        jitter = timedelta(seconds=dice.randint(0, 5000))
        yield _line(stories, long["contact"], f"{id}-{n}", end - span * (count - 1 - n) - jitter, inbound, match[2],
                    match[1] or "", "")  # fmt: skip


def _area(n: int) -> str:
    """An area code, so that the numbers look like those of a region."""
    return ("551", "732", "862", "973")[n % 4]


def _line(
    stories: dict[str, Any],
    contact: str,
    id: str,
    at: datetime,
    inbound: bool,
    text: str,
    picture: str,
    subject: str,
) -> Line:
    email = "@" in contact
    return Line(
        id=id,
        at=at,
        inbound=inbound,
        contact=contact,
        own=stories["mailbox" if email else "phone"],
        channel="email" if email else "mms" if picture else "sms",
        text=text,
        picture=picture,
        subject=subject,
    )


def _span(text: str | None) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])}) if text else timedelta()
