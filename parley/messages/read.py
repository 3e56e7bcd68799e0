"""Reads messages: a conversation's, oldest first, and one by its id."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from parley.conversations.read import number_of
from parley.core.errors import NotFound
from parley.core.ids import is_uuid
from parley.core.page import Page, Window, decode_cursor, encode_cursor
from parley.core.snippet import snippet
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.messages", "messages.sql")
_FAILED = ("failed", "undelivered")


class MessageError(msgspec.Struct, frozen=True):
    """Why a message did not get through, in the provider's words."""

    code: str | None
    message: str


class Message(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from", "recipient": "to"}):
    """A message as everybody sees it."""

    id: UUID
    conversation_id: str
    direction: str
    channel: str
    type: str
    sender: str
    recipient: str
    body: str
    subject: str | None
    snippet: str
    cc: list[str]
    bcc: list[str]
    reply_to: str | None
    attachments: list[str]
    status: str
    provider: str | None
    provider_message_id: str | None
    timestamp: datetime
    created_at: datetime
    error: MessageError | None


async def thread(
    db: Database, account_id: int, reference: str, window: Window, snippet_length: int
) -> Page[Message]:
    """One page of a conversation's messages; raises `NotFound`."""
    after, tie, size = None, None, window.size
    if window.cursor is not None:
        after, raw = decode_cursor(window.cursor)
        tie = UUID(bytes=raw.ljust(16, b"\0"))
    number = await number_of(db, account_id, reference)
    async with db.connection() as connection:
        total = await connection.fetchval(_SQL["thread_total"], account_id, number)
        if total is None:
            raise NotFound(f"there is no conversation {reference[:200]!r}")
        rows = await connection.fetch(_SQL["thread"], account_id, number, after, tie, size + 1, window.offset)
    items = [to_message(row, snippet_length) for row in rows[:size]]
    last = rows[size - 1] if len(rows) > size else None
    return Page(items, total, encode_cursor(last["occurred_at"], last["id"].bytes) if last else None)


async def before(
    db: Database, account_id: int, number: int, cursor: str | None, size: int, snippet_length: int
) -> Page[Message]:
    """The messages before a position or, without one, the last: oldest first; the cursor leads further back."""
    at, tie = None, None
    if cursor is not None:
        at, raw = decode_cursor(cursor)
        tie = UUID(bytes=raw.ljust(16, b"\0"))
    async with db.connection() as connection:
        total = await connection.fetchval(_SQL["thread_total"], account_id, number)
        rows = await connection.fetch(_SQL["before"], account_id, number, at, tie, size + 1)
    items = [to_message(row, snippet_length) for row in reversed(rows[:size])]
    first = rows[size - 1] if len(rows) > size else None
    return Page(items, total or 0, encode_cursor(first["occurred_at"], first["id"].bytes) if first else None)


async def around(
    db: Database, account_id: int, number: int, ids: Sequence[str], snippet_length: int
) -> list[Message]:
    """Messages of a conversation by their ids, each with its neighbours, the oldest first."""
    rows = await db.fetch(_SQL["around"], account_id, number, [UUID(id) for id in ids if is_uuid(id)])
    return [to_message(row, snippet_length) for row in rows]


async def latest(
    db: Database, account_id: int, number: int, limit: int, snippet_length: int
) -> list[Message]:
    """A conversation's last messages, the oldest of them first."""
    rows = await db.fetch(_SQL["latest"], account_id, number, limit)
    return [to_message(row, snippet_length) for row in reversed(rows)]


async def since(
    db: Database, account_id: int, number: int, moment: datetime, limit: int, snippet_length: int
) -> list[Message]:
    """What came into a conversation after a moment, in the order of arrival."""
    rows = await db.fetch(_SQL["since"], account_id, number, moment, limit)
    return [to_message(row, snippet_length) for row in rows]


async def one(db: Database, account_id: int, message_id: str, snippet_length: int) -> Message:
    """One message by its id; raises `NotFound`."""
    row = await db.fetchrow(_SQL["one"], account_id, UUID(message_id)) if is_uuid(message_id) else None
    if row is None:
        raise NotFound(f"there is no message {message_id[:200]!r}")
    return to_message(row, snippet_length)


def to_message(row: asyncpg.Record, snippet_length: int) -> Message:
    """Make a row of the table into the message that everybody sees."""
    # What a provider says of a success is kept too, but is no error.
    wrong = row["status"] in _FAILED or row["error_code"] == "no_report"
    error = (row["error"] or row["error_code"]) if wrong else None
    return Message(
        id=row["id"],
        conversation_id=str(row["conversation_id"]),
        direction=row["direction"],
        channel=row["channel"],
        type=row["channel"],
        sender=row["from_address"],
        recipient=row["to_address"],
        body=row["body"],
        subject=row["subject"],
        snippet=snippet(row["body"], row["channel"], snippet_length),
        cc=row["cc"] or [],
        bcc=row["bcc"] or [],
        reply_to=row["reply_to"],
        attachments=row["attachments"] or [],
        status=row["status"],
        provider=row["provider"],
        provider_message_id=row["provider_message_id"],
        timestamp=row["occurred_at"],
        created_at=row["created_at"],
        error=MessageError(row["error_code"], error) if error else None,
    )
