"""Reads conversations: the list, newest first, and one by its number, UUID or key."""

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from parley.core.errors import NotFound
from parley.core.ids import is_uuid
from parley.core.page import Page, Window, decode_cursor, encode_cursor
from parley.core.snippet import snippet
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.conversations", "conversations.sql")
_LARGEST_NUMBER = 2**63 - 1


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
    message_count: int
    last_activity_at: datetime
    last_message: LastMessage | None


async def latest(db: Database, account_id: int, window: Window, snippet_length: int) -> Page[Conversation]:
    """One page of the list."""
    after, number, size = None, None, window.size
    if window.cursor is not None:
        after, tie = decode_cursor(window.cursor)
        number = int.from_bytes(tie[:8], "big") % _LARGEST_NUMBER
    async with db.connection() as connection:
        rows = await connection.fetch(_SQL["latest"], account_id, after, number, size + 1, window.offset)
        total = await connection.fetchval(_SQL["total"], account_id)
    items = [_conversation(row, snippet_length) for row in rows[:size]]
    last = rows[size - 1] if len(rows) > size else None
    return Page(items, total or 0, encode_cursor(last["last_activity_at"], last["id"]) if last else None)


async def find(db: Database, account_id: int, reference: str, snippet_length: int) -> Conversation:
    """One conversation by any of its names; raises `NotFound`."""
    number = await number_of(db, account_id, reference)
    row = await db.fetchrow(_SQL["by_number"], account_id, number)
    if row is None:
        raise _unknown(reference)
    return _conversation(row, snippet_length)


async def number_of(db: Database, account_id: int, reference: str) -> int:
    """The number of a conversation by any of its names; raises `NotFound` for a UUID or key nobody has."""
    if reference.isascii() and reference.isdigit():
        return min(int(reference[:20]), _LARGEST_NUMBER)
    if is_uuid(reference):
        number = await db.fetchval(_SQL["number_of_uuid"], account_id, UUID(reference))
    else:
        number = await db.fetchval(_SQL["number_of_key"], account_id, reference.replace("\0", ""))
    if number is None:
        raise _unknown(reference)
    return int(number)


def _unknown(reference: str) -> NotFound:
    return NotFound(f"there is no conversation {reference[:200]!r}")


def _conversation(row: asyncpg.Record, snippet_length: int) -> Conversation:
    participants = row["participants"]
    return Conversation(
        id=str(row["id"]),
        uuid=row["uuid"],
        key=row["key"],
        channel=row["channel"],
        channels=row["channels"] or [row["channel"]],
        participant_a=participants[0],
        participant_b=participants[-1],
        participants=participants,
        message_count=row["message_count"],
        last_activity_at=row["last_activity_at"],
        last_message=_last_message(row, snippet_length),
    )


def _last_message(row: asyncpg.Record, snippet_length: int) -> LastMessage | None:
    if row["last_body"] is None:
        return None
    text = snippet(row["last_body"], row["last_channel"], snippet_length)
    return LastMessage(text, row["last_direction"], row["last_channel"])
