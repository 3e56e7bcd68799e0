"""What a search asks of the index, and where in the answer somebody stands."""

import base64
import binascii
import struct
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from parley.conversations.index import SHORTEST_OWN, mark_of_account, mark_of_channel
from parley.core.errors import Invalid
from parley.core.message import Channel
from parley.core.page import decode_cursor, encode_cursor
from parley.core.words import Term, exact, parse, phrase, rough

_WORDS_OF_A_MAILBOX = 3


class Question(msgspec.Struct, frozen=True):
    """A search in the words of the index."""

    terms: list[Term]
    names: str
    """Finds conversations by name, address and number."""
    rough: str
    """Finds at least the messages that are asked for."""
    exact: str
    """Finds just the messages that are asked for."""


def ask(account_id: int, query: str, channels: Sequence[Channel]) -> Question | None:
    """Translate what somebody typed; nothing if it has no words."""
    terms = parse(query)
    if not terms:
        return None
    names = " & ".join([f"'{mark_of_account(account_id)}'", *(f"({_name(term)})" for term in terms)])
    marks = " | ".join(f"'{mark_of_channel(channel)}'" for channel in channels)
    limits = [f"({marks})"] if marks else []
    return Question(
        terms,
        names,
        " & ".join(filter(None, [rough(terms), *limits])),
        " & ".join([exact(terms), *limits]),
    )


def _name(term: Term) -> str:
    """A word of the name or address, a part of the number, or an address of ours as a whole."""
    ways = [phrase(term)]
    if term.number is not None:
        ways.append(f"'{term.number}':*")
        if len(term.number) >= SHORTEST_OWN:
            ways.append(f"'={term.number}'")
    elif len(term.words) >= _WORDS_OF_A_MAILBOX:
        ways.append(f"'={' '.join(term.words)}'" + (":*" if term.begun else ""))
    return " | ".join(ways)


class AmongNames(msgspec.Struct, frozen=True):
    """Behind this conversation, among those that were found by name."""

    number: int | None = None
    at: datetime | None = None

    def encode(self) -> bytes:
        assert self.at is not None
        assert self.number is not None
        return b"n" + encode_cursor(self.at, self.number).encode()


class OnShelf(msgspec.Struct, frozen=True):
    """Behind this message, or at the beginning of its shelf; without a shelf, at the newest."""

    shelf: int | None = None
    message_id: UUID | None = None

    def encode(self) -> bytes:
        shelf = -1 if self.shelf is None else self.shelf
        return b"s" + struct.pack(">i", shelf) + (self.message_id.bytes if self.message_id else b"")


class InThese(msgspec.Struct, frozen=True):
    """Behind this message, among those of a few conversations."""

    message_id: UUID | None = None

    def encode(self) -> bytes:
        return b"t" + (self.message_id.bytes if self.message_id else b"")


Place = AmongNames | OnShelf | InThese


def write_place(place: Place) -> str:
    """Write a place down for a client."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_place(cursor: str | None) -> Place:
    """Read a place back; anything we did not write is the caller's error."""
    if cursor is None:
        return AmongNames()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return _place(raw[:1], raw[1:])
    except (ValueError, binascii.Error, struct.error):
        raise Invalid.field("cursor", "is not a cursor that this service gave out") from None


def _place(kind: bytes, rest: bytes) -> Place:
    if kind == b"n":
        at, tie = decode_cursor(rest.decode("ascii"))
        return AmongNames(int.from_bytes(tie[:8], "big") & 2**63 - 1, at)
    if kind == b"t":
        return InThese(_message_id(rest))
    if kind == b"s":
        (shelf,) = struct.unpack_from(">i", rest)
        return OnShelf(shelf if shelf >= 0 else None, _message_id(rest[4:]))
    raise ValueError("a place of another kind")


def _message_id(raw: bytes) -> UUID | None:
    return UUID(bytes=raw) if raw else None
