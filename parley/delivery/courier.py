"""Carries what was claimed: each delivery in a task of its own, from the attempt to the written end."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping

import structlog

from parley import metrics
from parley.core.trouble import place
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.attempt import attempt
from parley.delivery.claimed import Claimed
from parley.delivery.ledger import Ended, Ledger
from parley.delivery.queue import Settled
from parley.delivery.results import Released, Reported, Result, Unroutable
from parley.delivery.rules import Rules
from parley.delivery.verdict import Case, judge
from parley.metrics import FAMILIES
from parley.providers.base import Provider

log = structlog.get_logger()


class Courier:
    """The deliveries in this worker's hands."""

    def __init__(self, rules: Rules, db: Database, providers: Mapping[str, Provider], ledger: Ledger) -> None:
        self._rules = rules
        self._db = db
        self._providers = providers
        self._ledger = ledger
        self._tasks: set[asyncio.Task[None]] = set()
        self._slowest = 0.0
        self.in_hand: Counter[str] = Counter()
        """How many attempts each provider has under way."""

    @property
    def held(self) -> int:
        """How many deliveries are in hand, those included that are not written down yet."""
        return len(self._tasks)

    @property
    def unwritten(self) -> int:
        """How many have ended, but are not written down yet."""
        return self.held - self.in_hand.total()

    def take(self, claimed: Claimed) -> None:
        """Begin with a delivery."""
        self.in_hand[claimed.provider] += 1
        task = asyncio.create_task(self._carry(claimed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, patience: float) -> None:
        """Wait for what is under way; what takes longer is found again by the end of its lease."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _carry(self, claimed: Claimed) -> None:
        try:
            provider = self._providers.get(claimed.provider)
            began = time.monotonic()
            try:
                result = await attempt(claimed, provider, self._rules, self._siblings)
            finally:
                self.in_hand[claimed.provider] -= 1
            ended = time.monotonic()
            self._measure(claimed, result, ended - began)
            case = Case(
                claimed=claimed,
                began=began - claimed.taken_at,
                ended=ended - claimed.taken_at,
                can_look_up=provider is not None and provider.can_look_up,
                rules=self._rules,
                dice=random.random(),  # noqa: S311 - spreads retries, guards nothing
            )
            settled = await self._ledger.put(Ended(result, judge(case, result)))
            _count(settled, claimed)
        except Exception as error:  # its lease brings the delivery back
            metrics.WORKER_ERRORS.inc()
            log.error(
                "delivery_broke", message_id=claimed.message.id, error=type(error).__name__, at=place(error)
            )

    async def _siblings(self, claimed: Claimed) -> frozenset[str]:
        return await queue.siblings(self._db, claimed)

    def _measure(self, claimed: Claimed, result: Result, seconds: float) -> None:
        if claimed.phase == "ask" or isinstance(result, Released | Reported):
            return
        if isinstance(result, Unroutable):
            metrics.INVALID_ROUTING.inc()
            return
        family = FAMILIES[claimed.message.channel]
        metrics.DISPATCH.labels(family, claimed.provider, getattr(result, "outcome", "accepted")).inc()
        metrics.DISPATCH_SECONDS.labels(family).observe(seconds)
        if seconds > self._slowest:
            self._slowest = seconds
            metrics.DISPATCH_MAX.set(seconds)


def _count(settled: Settled | None, claimed: Claimed) -> None:
    if settled is None:
        log.warning("claim_lost", message_id=claimed.message.id)
        return
    metrics.PROCESSED.inc(settled.gone)
    metrics.DEAD_LETTERS.inc(settled.dead)
