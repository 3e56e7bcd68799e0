"""Tells any number of readers in this process what happens, at the price of one.

A reader is a position and nothing else. While it keeps up it is served from memory; who comes from further back,
or fell behind, reads the table page by page until memory has the rest. Nothing is held for a slow reader, and
with nobody reading the hub does nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import structlog

from parley.core.errors import DatabaseAway, Overloaded
from parley.core.trouble import place
from parley.db.bell import listen
from parley.db.pool import Database
from parley.feed.read import Position, after, back
from parley.feed.recent import Recent, frame

log = structlog.get_logger()

HEARTBEAT = b":\n\n"

_MOST_READERS = 10_000
_CATCHING_UP = 2  # at once; a thousand pages that come back after a restart must leave the pool to others
_PAGE = 500
# News gather for a moment before they go out, longer the more readers have to be woken for them.
_QUIET_SECONDS, _QUIET_SECONDS_A_READER = 0.02, 0.00015
# A commit may become certain only after the bell has rung, when an older transaction ends: look again, soon.
_SOON_SECONDS, _POLL_SECONDS = 0.03, 1.0


class Hub:
    """The readers of one account's feed in this process."""

    def __init__(self, db: Database, account_id: int, heartbeat_seconds: float = 15.0) -> None:
        self._db = db
        self._account_id = account_id
        self._heartbeat_seconds = heartbeat_seconds
        self._readers = 0
        self._closed = False
        self._recent: Recent | None = None
        self._wanted, self._look = asyncio.Event(), asyncio.Event()
        self._turn = asyncio.Semaphore(_CATCHING_UP)
        self._news: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def readers(self) -> int:
        """How many read now."""
        return self._readers

    def look(self) -> None:
        """Something may have happened."""
        self._look.set()

    def close(self) -> None:
        """End all streams, and begin none."""
        self._closed = True
        self._wake(beat=False)

    def read(self, position: Position) -> AsyncGenerator[bytes, None]:
        """All events after a position as server-sent events, for ever; heartbeats where nothing happens."""
        if self._readers >= _MOST_READERS:
            raise Overloaded("too many streams are open")
        return self._read(position)

    async def _read(self, position: Position) -> AsyncGenerator[bytes, None]:
        self._readers += 1
        self._wanted.set()
        try:
            while not self._closed:
                news = self._news
                piece, position = await self._next(position)
                if piece:
                    yield piece
                # Shielded: a reader who goes away must not take the others' news along.
                elif await asyncio.shield(news):
                    yield HEARTBEAT
        finally:
            self._readers -= 1
            if not self._readers:
                self._wanted.clear()

    async def _next(self, position: Position) -> tuple[bytes, Position]:
        if self._recent is None:
            return b"", position
        if (found := self._recent.after(position)) is not None:
            return found
        with contextlib.suppress(DatabaseAway):
            return await self._catch_up(position, self._recent.floor)
        return b"", position

    async def _catch_up(self, position: Position, floor: Position) -> tuple[bytes, Position]:
        """A page from the table; where there is none up to the floor, nothing is missed by going there."""
        async with self._turn:
            events = await after(self._db, self._account_id, position, _PAGE)
        if not events:
            return HEARTBEAT, floor
        return b"".join(map(frame, events)), Position.parse(events[-1].id)

    async def run(self) -> None:
        """Serve until cancelled."""
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                await self._wanted.wait()
                try:
                    await self._follow()
                except DatabaseAway:
                    log.debug("feed_waits")
                except Exception as error:  # a hub that ends would leave its readers with nothing
                    log.error("feed_broke", error=type(error).__name__, at=place(error))
                self._recent = None
                await asyncio.sleep(_POLL_SECONDS if self._readers else 0)
        finally:
            beating.cancel()

    async def _follow(self) -> None:
        """Keep what happens in memory while anybody reads."""
        # The last events as well: readers who come back after a break, or a restart, are served by them.
        recent = Recent(await back(self._db, self._account_id, _PAGE))
        await self._take(recent)
        self._recent = recent
        self._wake(beat=False)
        pause = _SOON_SECONDS
        while self._readers:
            rung = await self._rest(pause)
            taken = await self._take(recent)
            pause = _SOON_SECONDS if taken or rung else min(2 * pause, _POLL_SECONDS)

    async def _rest(self, pause: float) -> bool:
        await asyncio.sleep(_QUIET_SECONDS + _QUIET_SECONDS_A_READER * self._readers)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look.wait(), pause)
        rung = self._look.is_set()
        self._look.clear()
        return rung

    async def _take(self, recent: Recent) -> bool:
        """Read what has become certain, and hand it on page by page."""
        taken = False
        while events := await after(self._db, self._account_id, recent.end, _PAGE):
            taken = True
            recent.add(events)
            self._wake(beat=False)
            if len(events) < _PAGE:
                break
        return taken

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            self._wake(beat=True)

    def _wake(self, *, beat: bool) -> None:
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        news.set_result(beat)


@asynccontextmanager
async def open_hub(
    db: Database, url: str, account_id: int, leaving: asyncio.Event | None = None
) -> AsyncIterator[Hub]:
    """A hub that listens to the bell, and ends its streams when the process is leaving."""
    hub = Hub(db, account_id)
    tasks = [
        asyncio.create_task(hub.run()),
        asyncio.create_task(listen(url, "events", hub.look)),
        asyncio.create_task(_close_after(hub, leaving or asyncio.Event())),
    ]
    try:
        yield hub
    finally:
        hub.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close_after(hub: Hub, leaving: asyncio.Event) -> None:
    await leaving.wait()
    hub.close()
