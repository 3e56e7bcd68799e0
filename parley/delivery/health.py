"""The breakers, in the database so that all workers share them: whoever wins a version makes the transition."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from parley import metrics
from parley.core.breaker import Breaker, Limits
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.delivery", "health.sql")

# Workers race only where a provider is failing; who loses that often has been told by the others.
_ROUNDS = 10

# What another worker does to a breaker shows here that late; what we do ourselves, at once.
_FRESH_SECONDS = 0.1


class Seen(msgspec.Struct, frozen=True):
    """A breaker as it was read, on the database's clock."""

    breaker: Breaker = Breaker()
    version: int = 0
    now: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def opens_in(self) -> float | None:
        """Seconds until probes may go out; None while nothing holds us."""
        if self.breaker.until is None or not self.breaker.blocks(self.now):
            return None
        return (self.breaker.until - self.now).total_seconds()

    @property
    def awaits_probe(self) -> bool:
        """Whether its time has come to be tried again."""
        return self.breaker.state != "closed" and not self.breaker.blocks(self.now)


class Health:
    """What this worker knows of the providers, and what it adds to it."""

    def __init__(self, db: Database, families: Mapping[str, str], limits: Limits) -> None:
        self._db = db
        self._families = families
        self._limits = limits
        self._fresh_until = 0.0
        self._seen: dict[str, Seen] = {name: Seen() for name in families}

    async def look(self) -> Mapping[str, Seen]:
        """The breakers as they were a moment ago."""
        if time.monotonic() >= self._fresh_until:
            await self.refresh()
        return self._seen

    async def refresh(self) -> Mapping[str, Seen]:
        """Read all breakers."""
        self._fresh_until = time.monotonic() + _FRESH_SECONDS
        for row in await self._db.fetch(_SQL["read"], list(self._families)):
            breaker = Breaker(row["state"], row["failures"], row["until"])
            self._seen[row["provider"]] = Seen(breaker, row["version"], row["now"])
            metrics.BREAKER_OPEN.labels(row["provider"]).set(breaker.state == "open")
        return self._seen

    async def record(self, provider: str, trips: Sequence[bool], error: str | None) -> None:
        """Add the ends of attempts, in their order; a success of a healthy provider costs nothing."""
        if provider not in self._seen or (self._seen[provider].breaker.clean and not any(trips)):
            return
        for _ in range(_ROUNDS):
            seen = (await self.refresh())[provider]
            if await self._change(provider, seen.breaker.after(trips, seen.now, self._limits), error):
                return

    async def probe(self, provider: str) -> bool:
        """Take it on ourselves to probe a provider whose time has come; only one worker may."""
        seen = self._seen[provider]
        return await self._change(provider, seen.breaker.probing(seen.now, self._limits), None)

    async def forgo(self, provider: str) -> None:
        """Give the turn back: there was nothing with which to probe."""
        seen = (await self.refresh())[provider]
        await self._change(provider, Breaker("half_open", seen.breaker.failures, seen.now), None)

    async def _change(self, provider: str, breaker: Breaker, error: str | None) -> bool:
        seen = self._seen[provider]
        if breaker == seen.breaker:
            return True
        values = (breaker.state, breaker.failures, breaker.until)
        won = await self._db.fetchval(_SQL["write"], provider, seen.version, *values, error)
        if won:
            self._seen[provider] = Seen(breaker, seen.version + 1, seen.now)
            if breaker.state != seen.breaker.state:
                family = self._families[provider]
                metrics.BREAKER_TRANSITIONS.labels(family, provider, breaker.state).inc()
                metrics.BREAKER_OPEN.labels(provider).set(breaker.state == "open")
        return bool(won)
