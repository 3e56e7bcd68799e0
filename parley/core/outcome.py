"""The five ends of an attempt to send; each failure carries the decision about what to do next.

A provider returns `Accepted` or raises one of the failures. It never decides about retries itself.
"""

from typing import ClassVar, Literal

import msgspec

Outcome = Literal["accepted", "rejected", "throttled", "unavailable", "unknown"]


class Accepted(msgspec.Struct, frozen=True):
    """The provider has the message and gave it this id."""

    provider_message_id: str | None
    http_status: int | None = None


class SendFailed(Exception):
    """An attempt that did not end in acceptance, as far as we know."""

    outcome: ClassVar[Outcome]
    retry: ClassVar[bool]
    """The same request may go out again without asking the provider first."""
    trips: ClassVar[bool]
    """Counts against the provider's health in the breaker."""

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.http_status = http_status
        self.retry_after = retry_after


class Rejected(SendFailed):
    """The provider read the message and will never carry it."""

    outcome, retry, trips = "rejected", False, False


class Throttled(SendFailed):
    """The provider is well but asked us to wait; it did not take the message."""

    outcome, retry, trips = "throttled", True, False


class Unavailable(SendFailed):
    """The provider surely did not take the message, and is not well."""

    outcome, retry, trips = "unavailable", True, True


class Unknown(SendFailed):
    """The request may have arrived: silence after sending, or an answer that makes no sense."""

    outcome, retry, trips = "unknown", False, True
