"""Our own plain webhooks: any provider without a file of its own, or a gateway, delivers JSON in this shape."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from parley.core.decode import decode, mended
from parley.core.errors import Invalid, Unreadable
from parley.core.message import Channel, Inbound

T = TypeVar("T")

SMS, EMAIL = "messaging", "xillio"
"""The providers' names under which such messages are stored: whose ids their ids are."""

_FROM_TO = {"sender": "from", "recipient": "to"}
_Moment = Annotated[datetime | None, Meta(description="RFC 3339; without an offset UTC; default now")]


class SmsWebhook(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """An SMS or MMS that came in; a repetition of `messaging_provider_id` is stored once."""

    sender: str
    recipient: str
    type: Annotated[str, Meta(description="`sms` or `mms`; else the attachments tell")] = "sms"
    messaging_provider_id: str | None = None
    body: str | None = None
    attachments: list[str] | None = None
    timestamp: _Moment = None


class EmailWebhook(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """An email that came in; a repetition of `xillio_id` is stored once."""

    sender: str
    recipient: str
    xillio_id: str | None = None
    body: str | None = None
    subject: str | None = None
    cc: list[str] | None = None
    attachments: list[str] | None = None
    timestamp: _Moment = None


_sms = msgspec.json.Decoder(SmsWebhook)
_email = msgspec.json.Decoder(EmailWebhook)


def parse_sms(raw: bytes) -> Inbound:
    """Understand an SMS or MMS; raises `Unreadable` that names the fields."""
    event = _understand(_sms, raw)
    return Inbound(
        channel=_channel(event),
        sender=event.sender,
        recipient=event.recipient,
        body=event.body or "",
        provider_message_id=event.messaging_provider_id,
        occurred_at=event.timestamp,
        attachments=tuple(event.attachments or ()),
    )


def parse_email(raw: bytes) -> Inbound:
    """Understand an email; raises `Unreadable` that names the fields."""
    event = _understand(_email, raw)
    return Inbound(
        channel="email",
        sender=event.sender,
        recipient=event.recipient,
        body=event.body or "",
        provider_message_id=event.xillio_id,
        occurred_at=event.timestamp,
        subject=event.subject,
        cc=tuple(event.cc or ()),
        attachments=tuple(event.attachments or ()),
    )


PARSERS: dict[str, Callable[[bytes], Inbound]] = {SMS: parse_sms, EMAIL: parse_email}


def _understand(decoder: "msgspec.json.Decoder[T]", raw: bytes) -> T:
    try:
        return decode(decoder, raw)
    except Invalid as error:
        if (whole := mended(raw)) != raw:
            return _understand(decoder, whole)
        raise Unreadable(error.message, error.details) from None


def _channel(event: SmsWebhook) -> Channel:
    named = event.type.strip().lower()
    if named in ("sms", "mms"):
        return "mms" if named == "mms" else "sms"
    return "mms" if event.attachments else "sms"
