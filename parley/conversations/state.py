"""What people do with conversations: they read, close and reopen them. A new inbound message undoes all of it."""

from collections.abc import Sequence
from uuid import UUID

from parley.conversations.read import number_of, unknown
from parley.core.errors import Invalid
from parley.core.ids import is_uuid
from parley.db.bell import Bell
from parley.db.pool import Connection, Database
from parley.db.sql import statements
from parley.feed.follow import Write
from parley.feed.read import Event

_SQL = statements("parley.conversations", "state.sql")
_FAILED = ("failed", "undelivered")

COUNTED_UP_TO = 1000
"""A count of this size means: so many or more."""


async def mark_read(
    db: Database, bell: Bell, account_id: int, reference: str, through: str | None = None
) -> bool:
    """Mark a conversation as read, all of it or up to the last message seen; says whether that is news."""
    if through is not None and not is_uuid(through):
        raise _stranger()
    number = await number_of(db, account_id, reference)
    async with db.connection() as connection, connection.transaction():
        unread = await connection.fetchval(_SQL["hold"], account_id, number)
        if unread is None:
            raise unknown(reference)
        left = await _unseen(connection, account_id, number, through) if through is not None else 0
        changed = await connection.fetchval(
            _SQL["mark"], account_id, number, min(unread, left), "conversation.read"
        )
    return _told(bell, changed)


async def _unseen(connection: Connection, account_id: int, number: int, through: str) -> int:
    left: int | None = await connection.fetchval(_SQL["unseen"], account_id, number, UUID(through))
    if left is None:
        raise _stranger()
    return left


async def mark_unread(db: Database, bell: Bell, account_id: int, reference: str) -> bool:
    """Mark a conversation as unread, as if its last message had not been seen; says whether that is news."""
    number = await number_of(db, account_id, reference)
    async with db.connection() as connection, connection.transaction():
        unread = await connection.fetchval(_SQL["hold"], account_id, number)
        if unread is None:
            raise unknown(reference)
        changed = await connection.fetchval(
            _SQL["mark"], account_id, number, max(unread, 1), "conversation.unread"
        )
    return _told(bell, changed)


async def close(db: Database, bell: Bell, account_id: int, reference: str) -> bool:
    """Close a conversation until the other side writes again; says whether that is news."""
    return await _change(db, bell, account_id, reference, "close")


async def reopen(db: Database, bell: Bell, account_id: int, reference: str) -> bool:
    """Open a closed conversation; says whether that is news."""
    return await _change(db, bell, account_id, reference, "reopen")


async def _change(db: Database, bell: Bell, account_id: int, reference: str, statement: str) -> bool:
    number = await number_of(db, account_id, reference)
    changed = await db.fetchval(_SQL[statement], account_id, number)
    if not changed and not await db.fetchval(_SQL["exists"], account_id, number):
        raise unknown(reference)
    return _told(bell, changed)


async def unread(db: Database, account_id: int) -> int:
    """How many conversations have something unread, counted up to `COUNTED_UP_TO`."""
    return int(await db.fetchval(_SQL["unread"], account_id, COUNTED_UP_TO))


async def failures(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
    """Follow which messages did not get through: the last word on each counts."""
    last = {
        (int(event.conversation_id or 0), event.message_id): event.status in _FAILED
        for event in events
        if event.type == "message.status"
    }
    return [
        (_SQL[statement], account_id, [key[0] for key in keys], [key[1] for key in keys])
        for statement, wanted in (("put_failures", True), ("drop_failures", False))
        if (keys := [key for key, failed in last.items() if failed is wanted])
    ]


def _told(bell: Bell, changed: int) -> bool:
    if changed:
        bell.ring("events")
    return bool(changed)


def _stranger() -> Invalid:
    return Invalid.field("through", "is not a message of this conversation")
