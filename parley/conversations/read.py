"""Reads conversations: the list, newest first, and one by its number, UUID or key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from parley.core.errors import NotFound
from parley.core.ids import is_uuid
from parley.core.message import Channel
from parley.core.page import Page, Window, decode_cursor, encode_cursor
from parley.core.snippet import snippet
from parley.db.pool import Connection, Database
from parley.db.sql import statements

_SQL = statements("parley.conversations", "conversations.sql")
_LARGEST_NUMBER = 2**63 - 1

State = Literal["open", "closed", "unread", "failed"]
_LISTS = {
    None: "latest",
    "open": "open_ones",
    "closed": "closed_ones",
    "unread": "unread_ones",
    "failed": "failed_ones",
}

Place = tuple[int, datetime]
"""A conversation's number and when it was last active, by which lists are ordered."""


class LastMessage(msgspec.Struct, frozen=True):
    """The newest message of a conversation, in one line."""

    snippet: str
    direction: str
    channel: str


class Conversation(msgspec.Struct, frozen=True):
    """A conversation as the list shows it."""

    id: str
    uuid: UUID
    key: str
    channel: str
    channels: list[str]
    participant_a: str
    participant_b: str
    participants: list[str]
    contact: str
    """The other side: who wrote to us last, or to whom we wrote."""
    own: str
    """The address of ours under which they know us."""
    message_count: int
    last_activity_at: datetime
    last_message: LastMessage | None
    name: str | None
    """What the other side calls itself, where it said so."""
    state: Literal["open", "closed"]
    unread_count: int
    """Inbound messages that nobody has seen yet."""
    failed: bool
    """Whether a message to them did not get through."""


class Filter(msgspec.Struct, frozen=True):
    """Which conversations a list is to have: of a state, with any of these channels."""

    state: State | None = None
    channels: tuple[Channel, ...] = ()


EVERYTHING = Filter()


async def latest(
    db: Database, account_id: int, window: Window, snippet_length: int, only: Filter = EVERYTHING
) -> Page[Conversation]:
    """One page of the list; how many there are is known only of the whole list."""
    async with db.connection() as connection:
        found = await places(connection, account_id, only, window.size + 1, window.cursor, window.offset)
        page = found[: window.size]
        items = await rows(connection, account_id, [number for number, _ in page], snippet_length)
        total = await connection.fetchval(_SQL["total"], account_id) if only == EVERYTHING else None
    next_cursor = encode_cursor(page[-1][1], page[-1][0]) if len(found) > window.size else None
    return Page(items, total, next_cursor)


async def places(
    connection: Connection,
    account_id: int,
    only: Filter,
    limit: int,
    cursor: str | None = None,
    offset: int = 0,
) -> list[Place]:
    """The conversations of a list, newest first, without looking at them."""
    number, at = after(cursor)
    found = await connection.fetch(
        _SQL[_LISTS[only.state]], account_id, at, number, limit, offset, list(only.channels) or None
    )
    return [(row["id"], row["last_activity_at"]) for row in found]


def after(cursor: str | None) -> tuple[int, datetime] | tuple[None, None]:
    """Where a list goes on."""
    if cursor is None:
        return None, None
    at, tie = decode_cursor(cursor)
    return int.from_bytes(tie[:8], "big") % _LARGEST_NUMBER, at


async def rows(
    connection: Connection, account_id: int, numbers: Sequence[int], snippet_length: int
) -> list[Conversation]:
    """Conversations by their numbers, in this order."""
    found = await connection.fetch(_SQL["rows"], account_id, numbers)
    return [_conversation(row, snippet_length) for row in found]


async def any_at_all(db: Database, account_id: int) -> bool:
    """Whether an account has conversations, whatever their state."""
    return bool(await db.fetchval(_SQL["total"], account_id))


async def find(db: Database, account_id: int, reference: str, snippet_length: int) -> Conversation:
    """One conversation by any of its names; raises `NotFound`."""
    number = await number_of(db, account_id, reference)
    async with db.connection() as connection:
        found = await rows(connection, account_id, [number], snippet_length)
    if not found:
        raise unknown(reference)
    return found[0]


async def number_of(db: Database, account_id: int, reference: str) -> int:
    """The number of a conversation by any of its names; raises `NotFound` for a UUID or key nobody has."""
    if reference.isascii() and reference.isdigit():
        return min(int(reference[:20]), _LARGEST_NUMBER)
    if is_uuid(reference):
        number = await db.fetchval(_SQL["number_of_uuid"], account_id, UUID(reference))
    else:
        number = await db.fetchval(_SQL["number_of_key"], account_id, reference.replace("\0", ""))
    if number is None:
        raise unknown(reference)
    return int(number)


def unknown(reference: str) -> NotFound:
    """Nobody has that name."""
    return NotFound(f"there is no conversation {reference[:200]!r}")


def _conversation(row: asyncpg.Record, snippet_length: int) -> Conversation:
    participants = row["participants"]
    contact, own = _sides(row)
    return Conversation(
        id=str(row["id"]),
        uuid=row["uuid"],
        key=row["key"],
        channel=row["channel"],
        channels=row["channels"] or [row["channel"]],
        participant_a=participants[0],
        participant_b=participants[-1],
        participants=participants,
        contact=contact,
        own=own,
        message_count=row["message_count"],
        last_activity_at=row["last_activity_at"],
        last_message=_last_message(row, snippet_length),
        name=row["name"],
        state="open" if row["closed_at"] is None else "closed",
        unread_count=row["unread"],
        failed=row["failed"],
    )


def _sides(row: asyncpg.Record) -> tuple[str, str]:
    if row["last_direction"] == "outbound":
        return row["last_to"], row["last_from"]
    if row["last_direction"] == "inbound":
        return row["last_from"], row["last_to"]
    return row["participants"][-1], row["participants"][0]


def _last_message(row: asyncpg.Record, snippet_length: int) -> LastMessage | None:
    if row["last_body"] is None:
        return None
    text = snippet(row["last_body"], row["last_channel"], snippet_length)
    return LastMessage(text, row["last_direction"], row["last_channel"])
