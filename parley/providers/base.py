"""What every provider offers; a vendor file implements this and nothing else."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar, Protocol

from parley.core.message import Channel, Inbound, Outgoing, StatusEvent
from parley.core.outcome import Accepted
from parley.core.webhook import Webhook


class Provider(Protocol):
    """Carries messages of some channels over one vendor's protocol."""

    name: ClassVar[str]
    channels: ClassVar[frozenset[Channel]]
    can_look_up: ClassVar[bool]
    """Whether `find` can tell if the vendor has a message whose request got no answer."""

    can_report: ClassVar[bool]
    """Whether `status` can tell how a message stands whose reports did not come."""

    async def send(self, message: Outgoing) -> Accepted:
        """Hand the message to the vendor; raises a `SendFailed` that says what its answer means."""
        ...

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """Look for a message handed over after `since` without an answer; None means the vendor lacks it.

        The caller promises that no other attempt with the same addresses and body is open, and names in
        `known` the vendor's ids of our other messages between them. Raises `Unknown` where it cannot tell.
        """
        ...

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """Ask how a message stands; None where the vendor does not say. Raises a `SendFailed` on no answer."""
        ...

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """Raise `Forged` unless the vendor signed this very request."""
        ...

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """Translate a verified webhook; raises `Unreadable` where it makes no sense."""
        ...
