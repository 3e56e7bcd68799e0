"""One attempt to send, or one look-up, with no transaction open and no connection held."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import structlog

from parley import metrics
from parley.core.errors import DatabaseAway
from parley.core.outcome import Accepted, SendFailed, Unknown
from parley.core.trouble import place
from parley.delivery.claimed import Claimed
from parley.delivery.results import Absent, Released, Reported, Result, Undecidable, Unroutable
from parley.delivery.rules import Rules
from parley.providers.base import Provider

log = structlog.get_logger()

# The provider's own clients give up first; this only ends one that does not keep its time.
_MARGIN_SECONDS = 1.0

Siblings = Callable[[Claimed], Awaitable[Collection[str]]]
"""The provider's ids of our other messages in the same conversation."""


async def attempt(claimed: Claimed, provider: Provider | None, rules: Rules, siblings: Siblings) -> Result:
    """Do what the claim was made for; every way it can end is a value."""
    if claimed.reported:
        return Reported()
    if time.monotonic() + rules.timeout + _MARGIN_SECONDS > claimed.lease_end:
        return Released()
    if claimed.phase == "ask":
        return await _ask(claimed, provider, rules, siblings)
    if provider is None:
        return Unroutable(f"{claimed.provider} is not configured", code="no_provider")
    return await _bounded(provider.send(claimed.message), rules)


async def _ask(claimed: Claimed, provider: Provider | None, rules: Rules, siblings: Siblings) -> Result:
    if provider is None or not provider.can_look_up:
        return Undecidable()
    assert claimed.doubt_since is not None
    try:
        known = await siblings(claimed)
    except DatabaseAway:
        return Released()
    # From the claim on: the database's clock and ours may differ by a little.
    since = claimed.doubt_since - timedelta(seconds=1)
    return await _bounded(provider.find(claimed.message, since, known), rules)


async def _bounded(work: Awaitable[Accepted | None], rules: Rules) -> Result:
    try:
        async with asyncio.timeout(rules.timeout + _MARGIN_SECONDS):
            return await work or Absent()
    except SendFailed as failure:
        return failure
    except TimeoutError:
        return Unknown("no answer in time")
    except Exception as error:  # whatever broke, the request may have left before it did
        metrics.WORKER_ERRORS.inc()
        log.error("provider_broke", error=type(error).__name__, at=place(error))
        return Unknown(f"our own error ({type(error).__name__})")
