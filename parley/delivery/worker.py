"""The worker: claims what is due, has it carried, and never holds more than can begin at once."""

import asyncio
import contextlib
import time

import structlog

from parley import metrics
from parley.core.errors import DatabaseAway
from parley.core.trouble import place
from parley.db import statistics
from parley.db.bell import Bell, listen
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.claimed import Claimed
from parley.delivery.courier import Courier
from parley.delivery.health import Health
from parley.delivery.heartbeat import Heart
from parley.delivery.ledger import Ledger
from parley.delivery.routing import Routing
from parley.delivery.rules import Rules
from parley.messages import status
from parley.providers.registry import Providers
from parley.settings import Settings

log = structlog.get_logger()

_POLL_SECONDS = 1.0
# While attempts are under way their places become free one by one: claims wait a moment for company.
_GATHER_SECONDS = 0.01
_DUTY_SECONDS = 5.0
_LAST_WORDS_SECONDS = 5.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0


async def run(
    settings: Settings, db: Database, url: str, providers: Providers, bell: Bell, stop: asyncio.Event
) -> None:
    """Deliver until told to stop, then finish what is under way."""
    await Worker(Rules.of(settings), db, providers, bell).run(url, stop)


class Worker:
    """One of any number of workers on the same database."""

    def __init__(self, rules: Rules, db: Database, providers: Providers, bell: Bell) -> None:
        self._rules = rules
        self._db = db
        self._routing = Routing(providers, rules)
        self._health = Health(db, self._routing.families, rules.breaker)
        self._look = asyncio.Event()
        self._ledger = Ledger(db, bell, self._health, self._settled)
        self._courier = Courier(rules, db, providers.by_name, self._ledger)
        self._after = 0
        self._tend_at = self._take_back_at = 0.0

    async def run(self, url: str, stop: asyncio.Event) -> None:
        """Deliver until told to stop, then finish what is under way."""
        heart = Heart(self._db)
        aside = [
            asyncio.create_task(listen(url, "deliveries", self._look.set)),
            asyncio.create_task(self._attend(heart)),
            asyncio.create_task(self._heed(stop)),
        ]
        try:
            await self._work(stop)
            await self._finish()
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
            with contextlib.suppress(DatabaseAway):
                await heart.stop()

    async def _work(self, stop: asyncio.Event) -> None:
        trouble = 0
        while not stop.is_set():
            self._look.clear()
            try:
                pause = await self._round()
                trouble = 0
            except Exception as error:  # a worker that ends helps nobody
                pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(trouble, 10))
                _complain(error, first=trouble == 0)
                trouble += 1
            await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look.wait(), pause)
        if max(self._courier.in_hand.values(), default=0) > self._rules.concurrency * 3 // 4:
            await asyncio.sleep(_GATHER_SECONDS)

    async def _round(self) -> float:
        """Claim what there is room for; answers how long to rest if nothing calls."""
        claimed = await self._claim()
        for delivery in claimed:
            self._courier.take(delivery)
        metrics.CLAIMED.inc(len(claimed))
        await self._tend(time.monotonic())
        if len(claimed) >= self._rules.batch:
            return 0.0
        return max(0.0, self._tend_at - time.monotonic())

    async def _tend(self, now: float) -> None:
        """Make ready what has become due, and take back what dead workers held."""
        if now >= self._take_back_at:
            self._take_back_at = now + _POLL_SECONDS
            if lost := await queue.take_back(self._db):
                log.warning("claims_taken_back", count=lost)
                self._look.set()
        # A paced claim has just given out moments, the first of which may be near.
        if now >= self._tend_at or self._rules.segments_per_second:
            ripened = await queue.ripen(self._db)
            self._tend_at = now + min(
                _POLL_SECONDS, _POLL_SECONDS if ripened.next_in is None else ripened.next_in
            )
            if ripened.count:
                self._look.set()

    def _settled(self, wait: float | None) -> None:
        """Places are free again, and what has to wait may be due before we would have looked."""
        if wait is not None:
            self._tend_at = min(self._tend_at, time.monotonic() + wait)
        self._look.set()

    async def _claim(self) -> list[Claimed]:
        # Where the database is slow to write down what has ended, no more is begun.
        free = min(self._rules.batch, self._rules.concurrency - self._courier.unwritten)
        if free <= 0:
            return []
        breakers = await self._health.look()
        probing = [
            name for name, seen in breakers.items() if seen.awaits_probe and await self._health.probe(name)
        ]
        routes = list(self._routing.routes(breakers, probing, self._courier.in_hand))
        room = sum({route.provider: route.room for route in routes}.values())
        claimed: list[Claimed] = []
        if room:
            claimed, self._after = await queue.claim(
                self._db,
                routes,
                min(free, room),
                self._after,
                self._rules.lease,
                self._rules.segments_per_second,
            )
        for name in set(probing) - {delivery.provider for delivery in claimed}:
            await self._health.forgo(name)
        return claimed

    async def _finish(self) -> None:
        await self._courier.finish(self._rules.timeout + _LAST_WORDS_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ledger.close(), _LAST_WORDS_SECONDS)

    async def _attend(self, heart: Heart) -> None:
        """Show that we live, pick up what crashes have left, keep the planner informed."""
        while True:
            try:
                await heart.beat(self._courier.held)
                await status.sweep(self._db)
                await statistics.introduce(self._db)
            except Exception as error:  # without it the worker would count as dead
                _complain(error, first=False)
            await asyncio.sleep(_DUTY_SECONDS)

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._look.set()


def _complain(error: Exception, *, first: bool) -> None:
    if isinstance(error, DatabaseAway):
        if first:
            log.warning("database_away")
        return
    metrics.WORKER_ERRORS.inc()
    log.error("claiming_broke", error=type(error).__name__, at=place(error))
