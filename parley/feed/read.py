"""Follows the feed: every event exactly once, however many writers commit out of order."""

import re
from datetime import datetime
from typing import Self
from uuid import UUID

import asyncpg
import msgspec

from parley.core.errors import Invalid
from parley.db.pool import Connection, Database
from parley.db.sql import statements

_SQL = statements("parley.feed", "feed.sql")
_POSITION = re.compile(r"([0-9]{1,19})-([0-9]{1,18})")


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the feed: behind this transaction's this event."""

    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a position that we gave out."""
        match = _POSITION.fullmatch(text)
        if match is None:
            raise Invalid.field("after", "is not an event id that this service gave out")
        return cls(int(match[1]), int(match[2]))


BEGINNING = Position(0, 0)


class Event(msgspec.Struct, frozen=True):
    """One thing that happened."""

    id: str
    type: str
    at: datetime
    conversation_id: str | None
    message_id: UUID | None
    status: str | None


async def after(db: "Database | Connection", account_id: int, position: Position, limit: int) -> list[Event]:
    """The next events after a position; none yet if a writer before them is still at work."""
    rows = await db.fetch(_SQL["after"], account_id, str(position.xid), position.id, limit)
    return [_event(row) for row in rows]


async def newest(db: Database, account_id: int) -> Position:
    """Where a reader begins who only cares for what comes."""
    row = await db.fetchrow(_SQL["newest"], account_id)
    assert row is not None
    return Position(int(row["xid"]), row["id"])


async def back(db: Database, account_id: int, count: int) -> Position:
    """Where a reader begins who wants the last events as well."""
    row = await db.fetchrow(_SQL["back"], account_id, count)
    return Position(int(row["xid"]), row["id"]) if row else BEGINNING


async def is_ahead(db: "Database | Connection", position: Position) -> bool:
    """Whether a position is from another life of this database, so that its reader must begin anew."""
    return bool(await db.fetchval(_SQL["is_ahead"], str(position.xid)))


async def is_lost(db: Database, account_id: int, position: Position) -> bool:
    """Whether a reader at this position may have missed something for good, so that it must begin anew."""
    if position == BEGINNING:
        return False
    return await is_ahead(db, position) or bool(
        await db.fetchval(_SQL["is_lost"], account_id, str(position.xid), position.id)
    )


def _event(row: asyncpg.Record) -> Event:
    number = row["conversation_id"]
    return Event(
        id=f"{row['xid']}-{row['id']}",
        type=row["kind"],
        at=row["at"],
        conversation_id=str(number) if number is not None else None,
        message_id=row["message_id"],
        status=row["status"],
    )
