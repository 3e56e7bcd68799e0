"""The values that travel through the house: what comes in, what goes out, what became of it."""

from datetime import datetime
from typing import Literal

import msgspec

Channel = Literal["sms", "mms", "email"]
Direction = Literal["inbound", "outbound"]
Status = Literal[
    "received", "queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"
]

CHANNELS: tuple[Channel, ...] = ("sms", "mms", "email")


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message on its way into the store; the field names are the columns of `messages.sql store`.

    What is not there is left out of its JSON, which spares PostgreSQL a quarter of the reading.
    """

    account_id: int
    id: str
    direction: Direction
    channel: Channel
    thread_key: str
    conversation_uuid: str
    conversation_channel: Channel
    participants: tuple[str, ...]
    from_address: str
    to_address: str
    body: str
    status: Status
    occurred_at: datetime
    segments: int
    priority: int
    from_raw: str | None = None
    to_raw: str | None = None
    subject: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    attachments: tuple[str, ...] = ()
    provider: str | None = None
    provider_message_id: str | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None
    source: str | None = None
    raw: bytes | None = None


class Stored(msgspec.Struct, frozen=True):
    """What the store says of a draft: where it stands, and whether it stood there already."""

    message_id: str
    conversation_id: int
    provider_message_id: str | None
    duplicate: bool
    request_hash: str | None


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message as a provider needs it to carry it."""

    id: str
    account_id: int
    channel: Channel
    sender: str
    recipient: str
    body: str
    subject: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    attachments: tuple[str, ...] = ()


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a provider brought us, in our words."""

    channel: Channel
    sender: str
    recipient: str
    body: str
    provider_message_id: str | None
    occurred_at: datetime | None = None
    subject: str | None = None
    cc: tuple[str, ...] = ()
    reply_to: str | None = None
    attachments: tuple[str, ...] = ()


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider reports of a message that we gave it; `vendor_status` keeps its own word."""

    status: Status | None
    vendor_status: str
    provider_message_id: str | None
    message_id: str | None = None
    event_id: str | None = None
    occurred_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
