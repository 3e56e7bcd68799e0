"""The queue's statements: one typed function each."""

import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from parley.core.ids import new_id
from parley.db.pool import Database
from parley.db.sql import statements
from parley.delivery.claimed import Claimed
from parley.delivery.verdict import Verdict

_SQL = statements("parley.delivery", "queue.sql") | statements("parley.delivery", "claim.sql")
_ROWS = 1000


class Route(msgspec.Struct, frozen=True):
    """A provider's place among those of a channel, and how many more messages it may be given now."""

    channel: str
    n: int
    size: int
    provider: str
    room: int
    opens_in: float | None


class Ripened(msgspec.Struct, frozen=True):
    """How many deliveries became ready, and in how many seconds the next one is due."""

    count: int
    next_in: float | None


class Settled(msgspec.Struct, frozen=True):
    """A verdict that was carried out; `gone` and `dead` as the database saw it in the end."""

    message_id: str
    gone: bool
    dead: bool


async def ripen(db: Database) -> Ripened:
    """Make ready what has waited long enough."""
    row = await db.fetchrow(_SQL["ripen"], _ROWS)
    assert row is not None
    return Ripened(row["ripened"], 0.0 if row["ripened"] == _ROWS else row["next_in"])


async def take_back(db: Database) -> int:
    """Take back what dead workers held; answers how many."""
    return len(await db.fetch(_SQL["take_back"], _ROWS))


async def claim(
    db: Database, routes: Iterable[Route], limit: int, after: int, lease: float, pace: float
) -> tuple[list[Claimed], int]:
    """Take up to `limit` deliveries; answers them and the account after which to go on."""
    taken_at = time.monotonic()
    arguments = (msgspec.json.encode(list(routes)).decode(), limit, after, lease, UUID(new_id()), pace)
    rows = await db.fetch(_SQL["claim"], *arguments)
    last = max(rows, key=lambda row: row["turn"], default=None)
    return [Claimed.of(row, taken_at, lease) for row in rows], last["account_id"] if last else after


async def settle(db: Database, verdicts: Sequence[Verdict]) -> list[Settled]:
    """Carry out verdicts; one that has lost its claim is passed over."""
    rows = await db.fetch(_SQL["settle"], msgspec.json.encode(verdicts).decode())
    return [Settled(str(row["message_id"]), row["gone"], row["dead"]) for row in rows]


async def siblings(db: Database, claimed: Claimed) -> frozenset[str]:
    """The provider's ids of our other messages in the conversation, which are not the one we look for."""
    rows = await db.fetch(
        _SQL["siblings"],
        claimed.message.account_id,
        claimed.conversation_id,
        claimed.provider,
        UUID(claimed.message.id),
        claimed.doubt_since,
    )
    return frozenset(row["provider_message_id"] for row in rows)
