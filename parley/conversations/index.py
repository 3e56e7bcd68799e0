"""Keeps the words of messages and the names of conversations ready to be searched, behind the feed."""

from collections.abc import Collection, Iterator, Sequence
from email.utils import parseaddr
from uuid import UUID

import asyncpg
import msgspec

from parley.core.snippet import to_text
from parley.core.words import vector, words
from parley.db.pool import Connection, Database
from parley.db.sql import statements
from parley.feed.follow import Write
from parley.feed.read import Event

_SQL = statements("parley.conversations", "index.sql")

SHELF = 32_768
"""How many messages stand on a shelf: the most that a search looks through at once."""

_SHORTEST_PART = 3
SHORTEST_OWN = 7
"""How many digits of a number of ours must be given, for else they would find everything."""
_LONGEST_NAME = 200


class Entry(msgspec.Struct, frozen=True):
    """What a conversation is found by."""

    conversation_id: int
    name: str | None
    words: str


async def digest(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
    """Index the messages that are new."""
    ids = [event.message_id for event in events if event.message_id and event.type == "message.created"]
    return await writes(connection, account_id, ids) if ids else []


async def writes(connection: Connection, account_id: int, ids: Sequence[UUID]) -> list[Write]:
    """What is to be written so that these messages are found."""
    rows = await connection.fetch(_SQL["messages"], account_id, ids)
    shelf = await connection.fetchrow(_SQL["shelf"], account_id)
    start = shelf["number"] * SHELF + shelf["filled"] if shelf else 0
    documents = [_document(account_id, row, (start + n) // SHELF) for n, row in enumerate(rows)]
    columns = [row["conversation_id"] for row in rows], [row["id"] for row in rows], documents
    return [
        (_SQL["put_messages"], account_id, *columns),
        (_SQL["put_shelf"], account_id, *divmod(start + len(rows), SHELF)),
        *await _conversations(connection, account_id, rows),
    ]


async def _conversations(
    connection: Connection, account_id: int, rows: "Sequence[asyncpg.Record]"
) -> list[Write]:
    numbers = list({row["conversation_id"] for row in rows})
    found = await connection.fetch(_SQL["known"], account_id, numbers)
    known = {row["conversation_id"]: row["name"] for row in found}
    entries = [
        (entry.conversation_id, entry.name, entry.words) for entry in _entries(account_id, rows, known)
    ]
    return (
        [(_SQL["put_conversations"], account_id, *map(list, zip(*entries, strict=True)))] if entries else []
    )


async def tidy(db: Database) -> None:
    """Make searching what came lately as cheap as searching the rest."""
    await db.execute(_SQL["tidy"])


def mark_of_account(account_id: int) -> str:
    """The token that everything of an account has."""
    return f"#{account_id}"


def mark_of_shelf(account_id: int, shelf: int) -> str:
    """The token that all messages of one shelf have."""
    return f"#{account_id}.{shelf}"


def mark_of_channel(channel: str) -> str:
    """The token that all messages of a channel have."""
    return f"@{channel}"


def own_mark(address: str) -> str:
    """The token of an address of ours: found only when asked for as a whole, or it would find everything."""
    return "=" + " ".join(words(address))


def _document(account_id: int, row: asyncpg.Record, shelf: int) -> str:
    """Subject and body, and who it came from or went to."""
    theirs, _, name = _sides(row)
    parts = [
        words(row["subject"] or ""),
        words(to_text(row["body"]) if row["channel"] == "email" else row["body"]),
    ]
    if row["channel"] == "email":
        parts += [words(name or ""), words(theirs)]
    return vector(parts, [mark_of_shelf(account_id, shelf), mark_of_channel(row["channel"])])


def _entries(
    account_id: int, rows: Collection[asyncpg.Record], known: dict[int, str | None]
) -> Iterator[Entry]:
    """The conversations that are new, or whose other side goes by a new name."""
    latest: dict[int, tuple[str, str, str | None]] = {}
    for row in rows:
        theirs, ours, name = _sides(row)
        before = latest.get(row["conversation_id"])
        latest[row["conversation_id"]] = (theirs, ours, name or (before[2] if before else None))
    for number, (theirs, ours, name) in latest.items():
        if number not in known or (name and name != known[number]):
            marks = [mark_of_account(account_id), *_parts(theirs), *_own(ours)]
            yield Entry(number, name, vector([words(name or ""), words(theirs)], marks, stems=False))


def _sides(row: asyncpg.Record) -> tuple[str, str, str | None]:
    """Their address, ours, and their name."""
    inbound = row["direction"] == "inbound"
    theirs, ours = (
        (row["from_address"], row["to_address"]) if inbound else (row["to_address"], row["from_address"])
    )
    raw = row["from_raw"] if inbound else row["to_raw"]
    name = parseaddr(raw)[0].strip() if raw and row["channel"] == "email" else ""
    return theirs, ours, name[:_LONGEST_NAME] or None


def _parts(address: str) -> set[str]:
    """The ends of a number; a part of the number is the beginning of one of them."""
    digits = _digits(address)
    return {digits[n:] for n in range(len(digits) - _SHORTEST_PART + 1)}


def _own(address: str) -> set[str]:
    digits = _digits(address)
    return {own_mark(address), *(f"={digits[n:]}" for n in range(len(digits) - SHORTEST_OWN + 1))}


def _digits(address: str) -> str:
    digits = address.lstrip("+")
    return digits if digits.isascii() and digits.isdigit() else ""
