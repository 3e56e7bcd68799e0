"""How this worker delivers: the settings, in the words and units of delivery."""

from datetime import timedelta
from typing import Literal, Self

import msgspec

from parley.core.breaker import Limits
from parley.core.retry import Backoff
from parley.settings import Settings

# Vendors show a new message in their lists a little late, and may still be busy with a request on which we
# gave up; only an absence that lasts longer than both is proof that they do not have it.
_GRACE_SECONDS = 30.0

# A provider that cannot even be asked is most likely down for everybody: the answer is worth this wait.
_ASKING_SECONDS = 3600.0

# What a half-open breaker lets through at once.
_PROBES = 3


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Times are in seconds."""

    batch: int
    concurrency: int
    """Attempts at once with one provider, so that a slow one does not take the places of the others."""
    lease: float
    timeout: float
    max_retries: int
    backoff: Backoff
    breaker: Limits
    probes: int = _PROBES
    grace: float = _GRACE_SECONDS
    asking: float = _ASKING_SECONDS
    """How long look-ups may fail before the policy decides as if there were nobody to ask."""
    unknown_wait: float
    unknown_policy: Literal["at-least-once", "at-most-once"]
    segments_per_second: float
    """What one sender may send; 0 leaves it unpaced."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the settings."""
        timeout = settings.provider_timeout_secs
        return cls(
            batch=settings.worker_batch_size,
            concurrency=settings.worker_concurrency,
            # An attempt that is under way must end before anybody may take it for lost.
            lease=max(float(settings.worker_claim_timeout_secs), 2 * timeout),
            timeout=timeout,
            max_retries=settings.worker_max_retries,
            backoff=Backoff(settings.worker_backoff_base_ms / 1000, settings.worker_backoff_cap_secs),
            breaker=Limits(
                threshold=settings.breaker_error_threshold,
                open_for=timedelta(seconds=settings.breaker_open_secs),
                patience=timedelta(seconds=2 * timeout),
            ),
            unknown_wait=settings.unknown_wait_secs,
            unknown_policy=settings.unknown_policy,
            segments_per_second=settings.sender_segments_per_sec,
        )
