"""When to leave a provider alone: after so many failures in a row, for a while, then a few probes decide."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

State = Literal["closed", "open", "half_open"]


class Limits(msgspec.Struct, frozen=True):
    """How many failures in a row open it, how long it stays open, how long probes may take."""

    threshold: int
    open_for: timedelta
    patience: timedelta


class Breaker(msgspec.Struct, frozen=True):
    """`until` bounds an open state, or the time in which probes have to answer."""

    state: State = "closed"
    failures: int = 0
    until: datetime | None = None

    @property
    def clean(self) -> bool:
        """Closed and without a failure to forget: a success would change nothing."""
        return self.state == "closed" and self.failures == 0

    def blocks(self, now: datetime) -> bool:
        """Whether nothing may go to the provider now; when it ends, probes may."""
        return self.state != "closed" and self.until is not None and now < self.until

    def after(self, trips: Iterable[bool], now: datetime, limits: Limits) -> "Breaker":
        """The breaker after some attempts in the order of their ends; True is one that counts against it."""
        breaker = self
        for trip in trips:
            breaker = breaker._after(trip, now, limits)
        return breaker

    def _after(self, trip: bool, now: datetime, limits: Limits) -> "Breaker":
        if self.state == "open":  # this attempt began before it opened, and says nothing new
            return self
        if not trip:
            return Breaker()
        if self.state == "half_open" or self.failures + 1 >= limits.threshold:
            return Breaker("open", self.failures + 1, now + limits.open_for)
        return Breaker("closed", self.failures + 1)

    def probing(self, now: datetime, limits: Limits) -> "Breaker":
        """The breaker while probes are out; should their worker die, others follow when `until` has passed."""
        return Breaker("half_open", self.failures, now + limits.patience)
