"""How an attempt to send or a look-up can end, beyond what a provider itself says."""

import msgspec

from parley.core.outcome import Accepted, Rejected, SendFailed


class Reported(msgspec.Struct, frozen=True):
    """The provider has told of the message already; there is nothing left to send or to ask."""


class Absent(msgspec.Struct, frozen=True):
    """The provider was asked and does not have the message, or not yet."""


class Undecidable(msgspec.Struct, frozen=True):
    """The provider cannot be asked, and has not told by itself."""


class Released(msgspec.Struct, frozen=True):
    """Nothing has left: too little of the lease remained, or our own database was away."""


class Unroutable(Rejected):
    """No provider is configured that could carry the message."""


Result = Accepted | SendFailed | Reported | Absent | Undecidable | Released


def trips(result: Result) -> bool | None:
    """What a result says of the provider's health: ill, well, or nothing."""
    if isinstance(result, SendFailed):
        # A refusal shows it alive; a throttled request says nothing either way.
        return result.trips if result.trips or result.outcome == "rejected" else None
    return False if isinstance(result, Accepted | Absent) else None
