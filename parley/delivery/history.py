"""A message's attempts, so that it can explain itself."""

from datetime import datetime
from uuid import UUID

import msgspec

from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.delivery", "history.sql")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a provider, what came of it, and when the next one is due."""

    n: int
    provider: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    http_status: int | None
    code: str | None
    detail: str | None
    next_at: datetime | None


async def attempts(db: Database, account_id: int, message_id: UUID) -> list[Attempt]:
    """All attempts to send a message, the first one first."""
    return [Attempt(**dict(row)) for row in await db.fetch(_SQL["attempts"], account_id, message_id)]
