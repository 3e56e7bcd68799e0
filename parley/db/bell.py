"""Wakes other processes by NOTIFY; what happened is always read from the tables, the bell only says: look.

NOTIFY takes a lock on the whole database at commit, so it never rings inside a transaction that stores
something: it rings afterwards, in one of its own, at most once every few milliseconds. A ring that is lost
(a crash right after the commit) is made good by the listeners' polling.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Literal

import asyncpg

from parley.core.errors import DatabaseAway
from parley.db.pool import Database

Topic = Literal["deliveries", "events"]

# A ring is not worth a flush of the log, for which those who store something would have to wait as well.
_RING = """
select set_config('synchronous_commit', 'off', true), pg_notify('parley_' || topic, '')
from unnest($1::text[]) topic
"""

_QUIET_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0


class Bell:
    """The ringing side: topics gather for a moment and go out in one statement."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._topics: set[Topic] = set()
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, topic: Topic) -> None:
        """Tell the listeners of a topic to look, soon."""
        self._topics.add(topic)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        while self._topics:
            topics, self._topics = sorted(self._topics), set()
            with contextlib.suppress(DatabaseAway):
                await self._db.execute(_RING, topics)
            await asyncio.sleep(_QUIET_SECONDS)

    async def close(self) -> None:
        if self._ringing is not None:
            await asyncio.gather(self._ringing, return_exceptions=True)


async def listen(url: str, topic: Topic, hear: Callable[[], Awaitable[None] | None]) -> None:
    """Call `hear` at every ring, on one connection of its own; reconnect for ever, and call it then too."""
    while True:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await _listen_once(url, topic, hear)
        await asyncio.sleep(_RECONNECT_SECONDS)


async def _listen_once(url: str, topic: Topic, hear: Callable[[], Awaitable[None] | None]) -> None:
    connection = await asyncpg.connect(
        url, timeout=3, server_settings={"application_name": f"parley listen {topic}"}
    )
    rung = asyncio.Event()

    def ring(*_: object) -> None:
        rung.set()

    try:
        # A connection that ends rings too, so that nobody waits on it for ever.
        connection.add_termination_listener(ring)
        await connection.add_listener(f"parley_{topic}", ring)
        rung.set()
        while not connection.is_closed():
            await rung.wait()
            rung.clear()
            heard = hear()
            if heard is not None:
                await heard
    finally:
        connection.terminate()
