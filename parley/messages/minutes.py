"""How many messages came, went and arrived, minute by minute; counted behind the feed, so that nobody waits for it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from parley.db.pool import Connection, Database
from parley.db.sql import statements
from parley.feed.follow import Write
from parley.feed.read import Event

_SQL = statements("parley.messages", "minutes.sql")

# On the way out only what a provider said counts; `queued` is what came in to be sent, not what is tried again.
_PASSING = ("queued", "sending")

ENDS = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
}
"""What a status says of an outbound message to somebody who wants to know how a provider is doing."""
HOUR = 60
"""An hour's minutes; the last of them is under way."""


class Count(msgspec.Struct, frozen=True):
    """So many messages took on this status in this minute."""

    minute: datetime
    status: str
    channel: str
    provider: str
    messages: int


async def digest(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
    """Count what these events say of messages."""
    counted = [
        (event.message_id, event.status, event.at)
        for event in events
        if event.message_id and (event.type == "message.created" or event.status not in _PASSING)
    ]
    if not counted:
        return []
    writes: list[Write] = [(_SQL["count"], account_id, *map(list, zip(*counted, strict=True)))]
    if events[0].at.minute != events[-1].at.minute:
        writes.append((_SQL["forget"], account_id))
    return writes


async def hour(db: Database, account_id: int, now: datetime) -> list[Count]:
    """What was counted in the hour that ends with this minute."""
    return [Count(*row.values()) for row in await db.fetch(_SQL["latest"], account_id, hour_begins(now))]


def hour_begins(now: datetime) -> datetime:
    """The first minute of the hour that ends with this one."""
    return now.replace(second=0, microsecond=0) - timedelta(minutes=HOUR - 1)


def ends(counts: Iterable[Count]) -> dict[str, Counter[str]]:
    """What became of the messages with each provider."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for count in counts:
        if count.provider and (end := ENDS.get(count.status)) is not None:
            found[count.provider][end] += count.messages
    return found
