"""The rows of a business's past, invented but consistent: messages, and the conversations that fit them."""

import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.texts import Texts
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
_CHANNELS: tuple[Channel, ...] = ("email", "mms", "sms")
_NULL = r"\N"


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
        self.channels[index] |= 1 << _CHANNELS.index(channel)
        self.latest[index] = at


@dataclass(frozen=True)
class Contact:
    """Who a conversation is with; every fifth is by email."""

    number: int

    @property
    def email(self) -> bool:
        return self.number % 5 == 0

    @property
    def ours(self) -> str:
        return _DESK if self.email else _LINES[self.number % len(_LINES)]

    @property
    def name(self) -> str:
        return f"{_FIRST[self.number % len(_FIRST)]} {_LAST[self.number // 7 % len(_LAST)]}"

    @property
    def theirs(self) -> str:
        if self.email:
            return f"{self.name.replace(' ', '.')}{self.number}@mail{self.number % 50}.example".lower()
        return f"+1{200 + self.number % 700}{self.number * 7919 % 10_000_000:07d}"

    @property
    def thread(self) -> Thread:
        return thread(self.ours, self.theirs, "email" if self.email else "sms", "pair")


def messages(size: Size, tally: Tally, now: float) -> Iterator[str]:
    """The rows of `messages`, the oldest first; young conversations are lively, and the first is very long."""
    dice, texts = random.Random(size.seed), Texts(size.seed)
    step = size.days * 86400 / size.messages
    for n in range(size.messages):
        at = now - (size.messages - n) * step
        opened = len(tally.counts)
        if opened * size.messages <= n * size.conversations:
            index = opened
        else:
            index = 0 if dice.random() < 0.01 else opened - 1 - int(opened * dice.random() ** 3)
        contact = Contact(tally.first + index)
        channel: Channel = "email" if contact.email else "mms" if n % 20 == 7 else "sms"
        tally.add(index, channel, at)
        yield _message(n, contact, channel, at, texts)


def _message(n: int, contact: Contact, channel: Channel, at: float, texts: Texts) -> str:
    inbound, email = n % 2 == 0, channel == "email"
    theirs = contact.theirs
    sender, recipient = (theirs, contact.ours) if inbound else (contact.ours, theirs)
    raw = f"{contact.name} <{theirs}>" if email else _NULL
    when, millis, tail = _iso(at), f"{int(at * 1000):012x}", f"{n:010x}"
    return _row(
        "1", f"{millis[:8]}-{millis[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:]}{contact.number & 0xFFFFFFFF:08x}",
        str(contact.number), "inbound" if inbound else "outbound", channel, sender, recipient,
        raw if inbound else _NULL, _NULL if inbound else raw,
        texts.subject(n) if email else _NULL, texts.mail(n) if email else texts.short(n),
        f"{{https://media.example/{n}.jpg}}" if channel == "mms" else _NULL,
        "received" if inbound else "delivered", when, "sendgrid" if email else "twilio",
        f"bench-{millis}-{tail}", "1", "1", when, when,
    )  # fmt: skip


def conversations(tally: Tally) -> Iterator[str]:
    """The rows of `conversations` that fit the messages."""
    for n, count in enumerate(tally.counts):
        place = Contact(tally.first + n).thread
        channels = [name for bit, name in enumerate(_CHANNELS) if tally.channels[n] >> bit & 1]
        yield _row(
            "1", str(tally.first + n), place.uuid, place.key, place.channel, _array(channels),
            _array(place.participants), str(count), _iso(tally.latest[n]), _iso(tally.opened[n]),
        )  # fmt: skip


def threads(tally: Tally) -> Iterator[str]:
    """The rows of `threads`: each leads to its conversation."""
    for number in range(tally.first, tally.first + len(tally.counts)):
        place = Contact(number).thread
        yield _row("1", place.key, place.uuid, str(number))


def _row(*values: str) -> str:
    return "\t".join(values) + "\n"


def _array(values: Sequence[str]) -> str:
    return "{" + ",".join(values) + "}"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
