"""How delivery is doing: the providers' breakers, the queues, the workers. Costs the same at any length of queue."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

import asyncpg
import msgspec

from parley.db.pool import Database
from parley.db.sql import statements
from parley.messages import minutes
from parley.messages.minutes import Count

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


async def providers(db: Database, names: Collection[str], hour: Iterable[Count]) -> list[ProviderHealth]:
    """How these providers are doing, and what an hour's counts say of them."""
    ends = minutes.ends(hour)
    return [_health(row, ends[row["provider"]]) for row in await db.fetch(_SQL["providers"], list(names))]


def _health(row: asyncpg.Record, ends: Counter[str]) -> ProviderHealth:
    return ProviderHealth(**dict(row), sent=ends["sent"], delivered=ends["delivered"], failed=ends["failed"])


async def queues(db: Database) -> list[QueueDepth]:
    """The queues of all channels."""
    return [QueueDepth(**dict(row)) for row in await db.fetch(_SQL["queues"], COUNTED_UP_TO)]


async def workers(db: Database) -> list[WorkerSeen]:
    """The workers that live."""
    return [WorkerSeen(**dict(row)) for row in await db.fetch(_SQL["workers"])]
