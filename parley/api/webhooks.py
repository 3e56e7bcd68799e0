"""The generic webhooks: any provider, or a gateway of one's own, delivers inbound messages here as JSON."""

from typing import Any

import msgspec
from starlette.requests import Request

from parley.api.operation import explain, read_body
from parley.api.schemas import Accepted, EmailWebhook, SmsWebhook
from parley.core.errors import Invalid, Unreadable
from parley.core.message import Channel, Inbound, Stored
from parley.webhooks.intake import Intake

SMS_PROVIDER = "messaging"
EMAIL_PROVIDER = "xillio"

_sms = msgspec.json.Decoder(SmsWebhook)
_email = msgspec.json.Decoder(EmailWebhook)


class Webhooks:
    """POST /api/webhooks/sms and /email"""

    def __init__(self, intake: Intake, max_body_bytes: int) -> None:
        self._intake = intake
        self._max_body_bytes = max_body_bytes

    async def sms(self, request: Request) -> Accepted:
        """Take in an SMS or MMS."""
        raw = await read_body(request, self._max_body_bytes)
        event = await self._understand(request, raw, _sms, SMS_PROVIDER)
        inbound = Inbound(
            channel=_sms_channel(event),
            sender=event.sender,
            recipient=event.recipient,
            body=event.body or "",
            provider_message_id=event.messaging_provider_id,
            occurred_at=event.timestamp,
            attachments=tuple(event.attachments or ()),
        )
        return await self._take(request, inbound, SMS_PROVIDER, raw)

    async def email(self, request: Request) -> Accepted:
        """Take in an email."""
        raw = await read_body(request, self._max_body_bytes)
        event = await self._understand(request, raw, _email, EMAIL_PROVIDER)
        inbound = Inbound(
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
        return await self._take(request, inbound, EMAIL_PROVIDER, raw)

    async def _understand(
        self, request: Request, raw: bytes, decoder: "msgspec.json.Decoder[Any]", source: str
    ) -> Any:
        try:
            return decoder.decode(raw)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            invalid = explain(error, raw, decoder.type)
        await self._keep(request, raw, source, Unreadable(invalid.message))
        raise invalid

    async def _take(self, request: Request, inbound: Inbound, provider: str, raw: bytes) -> Accepted:
        try:
            stored = await self._intake.receive(inbound, provider, raw)
        except Unreadable as error:
            await self._keep(request, raw, provider, error)
            raise Invalid(error.message, error.details) from None
        return _accepted(stored, inbound)

    async def _keep(self, request: Request, raw: bytes, source: str, error: Unreadable) -> None:
        await self._intake.keep_unparsed(source, str(request.url), request.headers, raw, error)


def _accepted(stored: Stored, inbound: Inbound) -> Accepted:
    return Accepted(
        message_id=stored.message_id,
        conversation_id=str(stored.conversation_id),
        provider_message_id=inbound.provider_message_id,
        duplicate=stored.duplicate,
    )


def _sms_channel(event: SmsWebhook) -> Channel:
    named = event.type.strip().lower()
    if named in ("sms", "mms"):
        return "mms" if named == "mms" else "sms"
    return "mms" if event.attachments else "sms"
