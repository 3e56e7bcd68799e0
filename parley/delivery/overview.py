"""How delivery is doing: the providers' breakers, the queues, the workers. Costs the same at any length of queue."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.delivery", "overview.sql")

COUNTED_UP_TO = 10_000
"""A count of this size means: so many or more."""


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's breaker, the last error that counted against it, and what became of its messages in an hour."""

    provider: str
    state: str
    failures: int
    until: datetime | None
    changed_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    sent: int
    delivered: int
    failed: int


class QueueDepth(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in a channel: ready to go, under way, and for a moment or an earlier message."""

    channel: str
    ready: int
    claimed: int
    waiting: int
    oldest_at: datetime | None
    """Since when the first one could have gone."""


class WorkerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that lives, and how many deliveries it has in hand."""

    name: str
    started_at: datetime
    seen_at: datetime
    in_hand: int


async def providers(db: Database, account_id: int, names: Collection[str]) -> list[ProviderHealth]:
    """How these providers are doing."""
    return [ProviderHealth(**dict(row)) for row in await db.fetch(_SQL["providers"], list(names), account_id)]


async def queues(db: Database) -> list[QueueDepth]:
    """The queues of all channels."""
    return [QueueDepth(**dict(row)) for row in await db.fetch(_SQL["queues"], COUNTED_UP_TO)]


async def workers(db: Database) -> list[WorkerSeen]:
    """The workers that live."""
    return [WorkerSeen(**dict(row)) for row in await db.fetch(_SQL["workers"])]
