"""How the service is doing, in numbers that a page can draw; nothing of it is counted while somebody waits."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import msgspec

from parley.db.pool import Database
from parley.delivery import dead, overview
from parley.delivery.overview import ProviderHealth, QueueDepth, WorkerSeen
from parley.messages import minutes
from parley.messages.minutes import Count


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a minute: messages that came in, were to go out, and what providers said of the latter."""

    at: datetime
    received: int = 0
    ordered: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All that the operations page shows; counts of queues and dead letters stop at 10,000."""

    minutes: list[Minute]
    providers: list[ProviderHealth]
    queues: list[QueueDepth]
    workers: list[WorkerSeen]
    dead_letters: int


async def figures(db: Database, account_id: int, providers: Collection[str], now: datetime) -> Figures:
    """The last hour and the present state."""
    hour = await minutes.hour(db, account_id, now)
    return Figures(
        minutes=_minutes(hour, minutes.hour_begins(now)),
        providers=await overview.providers(db, providers, hour),
        queues=await overview.queues(db),
        workers=await overview.workers(db),
        dead_letters=await dead.count(db, account_id),
    )


def _minutes(counts: Iterable[Count], start: datetime) -> list[Minute]:
    """Every minute of the hour, the quiet ones as well."""
    found: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    words = {"received": "received", "queued": "ordered", **minutes.ENDS}
    for count in counts:
        if (word := words.get(count.status)) is not None:
            found[count.minute][word] += count.messages
    times = (start + timedelta(minutes=n) for n in range(minutes.HOUR))
    return [Minute(at=at, **found.get(at, {})) for at in times]
