"""What a person may do about deliveries: see what was given up, have it tried again, take one back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from parley.core.errors import Conflict, NotFound
from parley.core.ids import is_uuid
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.delivery", "dead.sql")

COUNTED_UP_TO = 10_000
"""A count of this size means: so many or more."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was given up, and why."""

    message_id: UUID
    died_at: datetime
    attempts: int
    code: str | None
    conversation_id: str
    channel: str
    from_address: str
    to_address: str
    provider: str | None
    error: str | None


async def letters(
    db: Database, account_id: int, limit: int, after: UUID | None = None
) -> tuple[list[DeadLetter], UUID | None]:
    """One page of dead letters, and the cursor of the next one."""
    rows = await db.fetch(_SQL["letters"], account_id, after, limit + 1)
    found = [DeadLetter(**dict(row)) for row in rows[:limit]]
    return found, found[-1].message_id if len(rows) > limit else None


async def count(db: Database, account_id: int) -> int:
    """How many messages were given up, counted up to `COUNTED_UP_TO`."""
    return int(await db.fetchval(_SQL["count"], account_id, COUNTED_UP_TO))


async def retry(db: Database, account_id: int, message_ids: Collection[str]) -> list[str]:
    """Have failed messages tried again; answers which. Ring `deliveries` and `events` afterwards."""
    wanted = [UUID(message_id) for message_id in message_ids if is_uuid(message_id)]
    return [str(row["id"]) for row in await db.fetch(_SQL["retry"], account_id, wanted)]


async def cancel(db: Database, account_id: int, message_id: str) -> None:
    """Take a message out of the queue; raises `NotFound`, or `Conflict` if a provider has or may have it.

    Ring `deliveries` and `events` afterwards.
    """
    identifier = UUID(message_id) if is_uuid(message_id) else None
    if await db.fetch(_SQL["cancel"], account_id, identifier):
        return
    if not await db.fetchval(_SQL["exists"], account_id, identifier):
        raise NotFound(f"there is no outbound message {message_id[:200]!r}")
    raise Conflict("the message has left the queue, or is just leaving it")
