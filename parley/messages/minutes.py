"""How many messages came, went and arrived, minute by minute; counted behind the feed, so that nobody waits for it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from parley.db.pool import Connection, Database
from parley.db.sql import statements
from parley.feed.follow import Write
from parley.feed.read import Event

_SQL = statements("parley.messages", "minutes.sql")

# On the way out only what a provider said counts; `queued` is what came in to be sent, not what is tried again.
_PASSING = ("queued", "sending")


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


async def since(db: Database, account_id: int, moment: datetime) -> list[Count]:
    """What was counted since a moment."""
    return [Count(*row.values()) for row in await db.fetch(_SQL["latest"], account_id, moment)]
