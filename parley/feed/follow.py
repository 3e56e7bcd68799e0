"""Derives from the feed what nobody should wait for: each event is taken once, by one process at a time.

What is derived and how far the follower came are written in one transaction, so that a crash repeats nothing
and skips nothing. It begins to write only when everything is worked out, because a transaction that has
written holds the feed back for all its readers.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from parley.core.errors import DatabaseAway
from parley.core.trouble import place
from parley.db.bell import listen
from parley.db.pool import Connection, Database
from parley.db.sql import statements
from parley.feed.read import BEGINNING, Event, Position, after

log = structlog.get_logger()

_SQL = statements("parley.feed", "follow.sql")
_BATCH = 500
_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
# Whoever brings messages goes first. A new message costs some 50 µs to index; where processors are short (we had
# to wait for one for a tenth of our time) we take no more than fits into a sixtieth of them.
_CROWD, _EVENTS_A_SECOND_AND_CORE = 0.1, 300
_TROUBLE_SECONDS = 2.0

Write = tuple[Any, ...]
"""A statement and its arguments."""

Digest = Callable[[Connection, int, Sequence[Event]], Awaitable[Sequence[Write]]]
"""Works out what follows from some events of an account: it reads, and answers what is to be written.

Only after a restore into a new cluster it gets events again that it had before.
"""


class Follower:
    """Takes the feeds of all accounts through its digests."""

    def __init__(self, db: Database, name: str, digests: Sequence[Digest]) -> None:
        self._db = db
        self._name = name
        self._digests = digests

    async def run(self, url: str, tidy: Callable[[], Awaitable[None]] | None = None) -> None:
        """Follow until cancelled; `tidy` is called after what was taken, outside of any transaction."""
        look = asyncio.Event()
        listening = asyncio.create_task(listen(url, "events", look.set))
        try:
            while True:
                look.clear()
                began, delayed = time.monotonic(), _delay()
                taken = await self._attempt(tidy)
                spent, waited = time.monotonic() - began, _delay() - delayed
                await asyncio.sleep(_rest(sum(taken), spent, crowded=waited > _CROWD * spent))
                if max(taken, default=0) < _BATCH:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(look.wait(), _POLL_SECONDS)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _attempt(self, tidy: Callable[[], Awaitable[None]] | None) -> list[int]:
        try:
            taken = await self.round()
            if taken and tidy is not None:
                await tidy()
            return taken
        except DatabaseAway:
            log.debug("follower_waits", follower=self._name)
        except Exception as error:  # a follower that ends helps nobody
            log.error("follower_broke", follower=self._name, error=type(error).__name__, at=place(error))
        await asyncio.sleep(_TROUBLE_SECONDS)
        return []

    async def round(self) -> list[int]:
        """Take a batch of each account that has news; says how many events those were."""
        behind = await self._db.fetch(_SQL["accounts_behind"], self._name)
        return [await self.step(row["id"]) for row in behind]

    async def step(self, account_id: int) -> int:
        """Take the next batch of an account; says how many events that were."""
        async with self._db.connection() as connection, connection.transaction():
            if not await connection.fetchval(_SQL["alone"], self._name, account_id):
                return 0
            position = await self._position(connection, account_id)
            events = await after(connection, account_id, position, _BATCH)
            if not events:
                return 0
            writes = [
                write for digest in self._digests for write in await digest(connection, account_id, events)
            ]
            end = Position.parse(events[-1].id)
            for statement, *arguments in writes:
                await connection.execute(statement, *arguments)
            await connection.execute(_SQL["move"], account_id, self._name, str(end.xid), end.id)
            return len(events)

    async def _position(self, connection: Connection, account_id: int) -> Position:
        row = await connection.fetchrow(_SQL["position"], account_id, self._name)
        return Position(int(row["xid"]), row["id"]) if row else BEGINNING


def _rest(events: int, spent: float, *, crowded: bool) -> float:
    """How long to leave the processors to others after a round."""
    fair = events / (_EVENTS_A_SECOND_AND_CORE * _cores()) - spent if crowded else spent
    return max(_PAUSE_SECONDS, fair)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _delay() -> float:
    """How many seconds this thread has been ready to run without a processor; 0 where nobody counts them."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
