"""Posts webhooks when they are due: bounded in memory and in concurrency, tried again a few times."""

import asyncio
import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from aiohttp import ClientError, ClientSession
from yarl import URL

from parley.simulators.config import Simulation

_PATIENCE = 1.0
_TURN = 0.002


class Letter(NamedTuple):
    """A webhook, ready to post."""

    body: bytes
    headers: dict[str, str]


class Parcel(msgspec.Struct, gc=False):
    """A webhook to come; it is written only when it is due, for the attempt and the address at hand."""

    url: str
    write: Callable[[str, int], Letter | None]
    attempts: int
    tried: int = 0
    fallback: str | None = None
    follows: "Parcel | None" = None
    """Waits until this one was tried, so that only faults ordered change the order."""


class Postbox:
    """Takes parcels without ever making their giver wait; what does not fit is dropped and counted."""

    def __init__(self, config: Simulation) -> None:
        self._config = config
        self._due: list[tuple[float, int, Parcel]] = []
        self._order = itertools.count()
        self._awake = asyncio.Event()
        self._slots = asyncio.Semaphore(config.callback_concurrency)
        self._posting: set[asyncio.Task[None]] = set()
        self._era = 0
        self.counts: Counter[str] = Counter()

    def put(self, delay: float, parcel: Parcel) -> None:
        """Post a parcel after `delay` seconds."""
        if len(self._due) >= self._config.callback_backlog:
            self.counts["dropped"] += 1
            parcel.tried += 1
            return
        due = asyncio.get_running_loop().time() + delay
        heapq.heappush(self._due, (due, next(self._order), parcel))
        if self._due[0][2] is parcel:
            self._awake.set()

    def clear(self) -> None:
        """Forget what is still waiting."""
        self._era += 1
        self._due.clear()
        self.counts.clear()

    async def settle(self) -> None:
        """Wait for what is being posted; a receiver that takes its time is not heard out."""
        posting = set(self._posting)
        if posting:
            _, late = await asyncio.wait(posting, timeout=_PATIENCE)
            for task in late:
                task.cancel()

    @property
    def waiting(self) -> int:
        """How many parcels are not posted yet."""
        return len(self._due) + len(self._posting)

    async def run(self, session: ClientSession) -> None:
        """Post until cancelled."""
        try:
            while True:
                await self._slots.acquire()
                self._start(session, await self._next())
        finally:
            await self._stop()

    def _start(self, session: ClientSession, parcel: Parcel) -> None:
        task = asyncio.create_task(self._post(session, parcel, self._era))
        self._posting.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._posting.discard(task)
        self._slots.release()

    async def _stop(self) -> None:
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)

    async def _next(self) -> Parcel:
        """Wait for the parcel that is due first."""
        loop = asyncio.get_running_loop()
        while True:
            wait = self._due[0][0] - loop.time() if self._due else None
            if wait is not None and wait <= 0:
                parcel = heapq.heappop(self._due)[2]
                if parcel.follows is None or parcel.follows.tried:
                    return parcel
                heapq.heappush(self._due, (loop.time() + _TURN, next(self._order), parcel))
                continue
            self._awake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), wait)

    async def _post(self, session: ClientSession, parcel: Parcel, era: int) -> None:
        if era != self._era:
            return
        letter = parcel.write(parcel.url, parcel.tried + 1)
        arrived = letter is None or await _arrives(session, parcel.url, letter)
        parcel.tried += 1
        parcel.follows = None
        if letter is None or era != self._era:
            return
        if arrived:
            self.counts["sent"] += 1
        elif parcel.tried < parcel.attempts:
            self.counts["retried"] += 1
            self.put(self._config.callback_retry_ms / 1000 * 2 ** (parcel.tried - 1), parcel)
        elif parcel.fallback:
            self.put(0, Parcel(parcel.fallback, parcel.write, parcel.attempts))
        else:
            self.counts["failed"] += 1


async def _arrives(session: ClientSession, url: str, letter: Letter) -> bool:
    """Post once; a 4xx arrives, since a vendor does not try that again."""
    try:
        # The address must reach the server as it was given: it is part of what Twilio signs.
        address = URL(url.partition("#")[0], encoded=True)
        async with session.post(
            address, data=letter.body, headers=letter.headers, allow_redirects=False
        ) as answer:
            return answer.status < 500
    except (ClientError, TimeoutError, OSError, ValueError):
        return False
