"""The rows of a business's past, invented but consistent: messages, and the conversations that fit them."""

import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from bench.texts import Text, Texts
from parley.core.message import Channel
from parley.core.thread import Thread, thread

_LINES = [f"+1201555{n:04d}" for n in range(20)]
_DESK = "desk@parley.example"
_FIRST = [
    "Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jun",
    "Kaya", "Liam", "Mona", "Nils", "Olga", "Pia", "Quin", "Rosa", "Sami", "Tara",
]  # fmt: skip
_LAST = [
    "Adler", "Berg", "Castro", "Diaz", "Eden", "Fuchs", "Gill", "Hahn", "Ito", "Jones",
    "Kim", "Lopez", "Meyer", "Novak", "Okoye", "Patel",
]  # fmt: skip
_CHANNELS: dict[Channel, int] = {"email": 1, "mms": 2, "sms": 4}
NULL = r"\N"


@dataclass(frozen=True)
class Size:
    """How much to load, over which past, and from which seed."""

    messages: int
    conversations: int
    days: int = 365
    seed: int = 1


class Tally:
    """What the conversations' rows must say once the messages are in."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.counts = array("L")
        self.channels = array("B")
        self.opened = array("d")
        self.latest = array("d")

    def add(self, index: int, channel: Channel, at: float) -> None:
        """Count a message; conversations are opened in their order."""
        if index == len(self.counts):
            self.counts.append(0)
            self.channels.append(0)
            self.opened.append(at)
            self.latest.append(at)
        self.counts[index] += 1
        self.channels[index] |= _CHANNELS[channel]
        self.latest[index] = at


class Contact(NamedTuple):
    """Who a conversation is with."""

    number: int
    email: bool
    ours: str
    theirs: str
    name: str

    @property
    def thread(self) -> Thread:
        return thread(self.ours, self.theirs, "email" if self.email else "sms", "pair")


class Message(NamedTuple):
    """A row of `messages`, and what else is made of it."""

    row: str
    id: str
    contact: Contact
    channel: Channel
    subject: str
    text: Text


class Conversation(NamedTuple):
    """Rows of `conversations` and `threads`, and whom they are about."""

    row: str
    thread: str
    contact: Contact


def messages(size: Size, tally: Tally, now: float) -> Iterator[Message]:
    """The messages, the oldest first; young conversations are lively, and the first is very long."""
    dice, texts = random.Random(size.seed), Texts(size.seed)
    step = size.days * 86400 / size.messages
    for n in range(size.messages):
        at = now - (size.messages - n) * step
        opened = len(tally.counts)
        if opened * size.messages <= n * size.conversations:
            index = opened
        else:
            index = 0 if dice.random() < 0.01 else opened - 1 - int(opened * dice.random() ** 3)
        contact = _contact(tally.first + index)
        channel: Channel = "email" if contact.email else "mms" if n % 20 == 7 else "sms"
        tally.add(index, channel, at)
        yield _message(n, contact, channel, at, texts)


def conversations(tally: Tally) -> Iterator[Conversation]:
    """The conversations that fit the messages; each has one thread that leads to it."""
    for n, count in enumerate(tally.counts):
        contact = _contact(tally.first + n)
        place, number = contact.thread, str(contact.number)
        channels = [channel for channel, bit in _CHANNELS.items() if tally.channels[n] & bit]
        row = _row(
            "1", number, place.uuid, place.key, place.channel, _array(channels),
            _array(place.participants), str(count), _iso(tally.latest[n]), _iso(tally.opened[n]),
        )  # fmt: skip
        yield Conversation(row, _row("1", place.key, place.uuid, number), contact)


@lru_cache(maxsize=50_000)
def _contact(number: int) -> Contact:
    """Every fifth writes emails."""
    name = f"{_FIRST[number % len(_FIRST)]} {_LAST[number // 7 % len(_LAST)]}"
    if number % 5 == 0:
        address = f"{name.replace(' ', '.')}{number}@mail{number % 50}.example".lower()
        return Contact(number, True, _DESK, address, name)
    phone = f"+1{200 + number % 700}{number * 7919 % 10_000_000:07d}"
    return Contact(number, False, _LINES[number % len(_LINES)], phone, name)


def _message(n: int, contact: Contact, channel: Channel, at: float, texts: Texts) -> Message:
    number, email, ours, theirs, name = contact
    when, millis = _iso(at), f"{int(at * 1000):012x}"
    id_ = f"{millis}70008{n:07x}{number:08x}"
    subject, text = (texts.subject(n), texts.mail(n)) if email else ("", texts.short(n))
    raw = f"{name} <{theirs}>" if email else NULL
    inbound, outbound = (theirs, ours, raw, NULL), (ours, theirs, NULL, raw)
    row = _row(
        "1", id_, str(number), "outbound" if n % 2 else "inbound", channel, *(outbound if n % 2 else inbound),
        subject or NULL, text.body, f"{{https://media.example/{n}.jpg}}" if channel == "mms" else NULL,
        "delivered" if n % 2 else "received", when, "sendgrid" if email else "twilio",
        f"bench-{millis}-{n:x}", "1", "1", when, when,
    )  # fmt: skip
    return Message(row, id_, contact, channel, subject, text)


def _row(*values: str) -> str:
    return "\t".join(values) + "\n"


def _array(values: Sequence[str]) -> str:
    return "{" + ",".join(values) + "}"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
