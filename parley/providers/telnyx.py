"""Telnyx Messaging: SMS and MMS."""

from base64 import b64decode
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from aiohttp import ClientSession
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from parley.core.errors import Forged, Unreadable
from parley.core.message import Channel, Inbound, Outgoing, Status, StatusEvent
from parley.core.outcome import Accepted, Rejected, SendFailed, Throttled, Unavailable, Unknown
from parley.core.webhook import Webhook
from parley.providers import http
from parley.settings import Settings, SettingsError

# What a code means when Telnyx answers it to a new message; any other code means what its HTTP status says.
CODES: dict[type[SendFailed], tuple[str, ...]] = {
    Throttled: ("10011", "40011", "40318"),
    Unavailable: (
        "10007",
        # The account, its funds or our key: no message is at fault.
        *("10009", "10010", "20012", "20100", "40312", "40314"),
    ),
    Unknown: ("10008",),  # their own time ran out, and perhaps only after the message was taken
    Rejected: ("40300",),  # the recipient sent STOP; its status is 409, which otherwise means something else
}
_KINDS = {code: kind for kind, codes in CODES.items() for code in codes}

STATUSES: dict[str, Status | None] = {
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "delivery_unconfirmed": "sent",  # final, but no carrier said what became of it
    "sending_failed": "failed",
    "delivery_failed": "undelivered",
    "expired": "undelivered",
    "read": "read",
    "received": None,  # said of inbound messages only
    "webhook_delivered": None,
}

_TOLERANCE = 300


class _Id(msgspec.Struct):
    id: str


class _Created(msgspec.Struct):
    data: _Id


class _Error(msgspec.Struct):
    code: str | int
    title: str = ""
    detail: str | None = None


class _Problem(msgspec.Struct):
    errors: list[_Error]


class _Party(msgspec.Struct):
    phone_number: str = ""
    status: str | None = None


class _Media(msgspec.Struct):
    url: str | None = None


class _Payload(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    sender: _Party | None = msgspec.field(name="from", default=None)
    to: list[_Party] = []
    cc: list[_Party] | None = None
    text: str | None = None
    subject: str | None = None
    media: list[_Media] | None = None
    errors: list[_Error] | None = None
    received_at: datetime | None = None


class _Event(msgspec.Struct):
    event_type: str
    payload: _Payload
    id: str | None = None
    occurred_at: datetime | None = None


class _Standing(msgspec.Struct):
    data: _Payload


class _Envelope(msgspec.Struct):
    data: _Event


class Telnyx:
    """Speaks /v2/messages and the messaging webhooks."""

    name: ClassVar[str] = "telnyx"
    channels: ClassVar[frozenset[Channel]] = frozenset({"sms", "mms"})
    can_look_up: ClassVar[bool] = False  # it finds a message by its own id only, which silence does not tell
    can_report: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("telnyx_api_key",)

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        self._settings = settings
        self._client = http.Client(session, settings.provider_timeout_secs)
        self._base = settings.telnyx_base_url.rstrip("/")
        self._key = _public_key(settings.telnyx_public_key)

    async def send(self, message: Outgoing) -> Accepted:
        """Create a message with our id as idempotency key: within a day, the same one twice is one message."""
        headers = {
            "Authorization": f"Bearer {self._settings.telnyx_api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": message.id,
        }
        answer = await self._client.ask(
            "POST", f"{self._base}/v2/messages", headers, msgspec.json.encode(self._body(message))
        )
        created = http.decode(answer.body, _Created) if answer.status in (200, 201, 202) else None
        if created is None:
            raise _refusal(answer)
        return Accepted(created.data.id, answer.status)

    def _body(self, message: Outgoing) -> dict[str, Any]:
        callback = http.callback(self._settings, self.name, self._base, message.id)
        optional = {
            "text": message.body,
            "subject": message.subject,
            "media_urls": message.attachments,
            "webhook_url": callback,
        }
        return {
            "from": message.sender,
            "to": message.recipient,
            "type": "MMS" if message.attachments else "SMS",
            **{name: value for name, value in optional.items() if value},
        }

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """There is no search; sending again under the same idempotency key is what answers the question."""
        raise Unknown("Telnyx cannot be asked for a message")

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """Retrieve a message."""
        resource = f"{self._base}/v2/messages/{quote(provider_message_id, safe='')}"
        headers = {"Authorization": f"Bearer {self._settings.telnyx_api_key}"}
        answer = await self._client.ask("GET", resource, headers)
        found = http.decode(answer.body, _Standing) if answer.status == 200 else None
        return None if found is None else _standing(found.data, provider_message_id)

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """Check the Ed25519 signature over time and body, and that the time is now."""
        stamp = webhook.headers.get("telnyx-timestamp", "")
        http.check_time(stamp, now, _TOLERANCE)
        if self._key is None:
            raise Forged("without TELNYX_PUBLIC_KEY no webhook of Telnyx can be believed")
        try:
            signature = b64decode(webhook.headers.get("telnyx-signature-ed25519", ""), validate=True)
            self._key.verify(signature, stamp.encode() + b"|" + webhook.body)
        except (InvalidSignature, ValueError):
            raise Forged("the signature of Telnyx does not hold") from None

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """Read message.received as a message and any other event of a message as its status."""
        envelope = http.decode(webhook.body, _Envelope)
        if envelope is None or not envelope.data.event_type.startswith("message."):
            raise Unreadable("no event of a message")
        if envelope.data.event_type == "message.received":
            return (_inbound(envelope.data),)
        return (_status(envelope.data, webhook),)


def _public_key(text: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True)) if text else None
    except ValueError:
        raise SettingsError(
            f"TELNYX_PUBLIC_KEY is {text!r}, but takes the base64 public key of the Telnyx portal"
        ) from None


def _refusal(answer: http.Answer) -> SendFailed:
    problem = http.decode(answer.body, _Problem)
    if problem is None or not problem.errors or answer.status < 400:
        return http.refusal(answer, None, kind=Unknown if answer.status == 409 else None)
    code = str(problem.errors[0].code)
    text = "; ".join(": ".join(filter(None, (error.title, error.detail))) for error in problem.errors)
    kind = _KINDS.get(code)
    if kind is None and (answer.status == 409 or "idempoten" in text.lower()):
        # Our first request with this key is still being worked on, or was taken with another body.
        kind = Unknown
    return http.refusal(answer, text, code=code, kind=kind)


def _inbound(event: _Event) -> Inbound:
    payload = event.payload
    if not (payload.sender and payload.sender.phone_number and payload.to and payload.to[0].phone_number):
        raise Unreadable("a message without from or to")
    others = (*payload.to[1:], *(payload.cc or ()))
    media = tuple(item.url for item in payload.media or () if item.url)
    return Inbound(
        channel="mms" if media or payload.type == "MMS" else "sms",
        sender=payload.sender.phone_number,
        recipient=payload.to[0].phone_number,
        body=payload.text or "",
        provider_message_id=payload.id,
        occurred_at=http.aware(payload.received_at or event.occurred_at),
        subject=payload.subject or None,
        cc=tuple(party.phone_number for party in others if party.phone_number),
        attachments=media,
    )


def _status(event: _Event, webhook: Webhook) -> StatusEvent:
    standing = _standing(event.payload, event.payload.id, event.event_type)
    return msgspec.structs.replace(
        standing,
        message_id=http.our_id(http.query(webhook, "message_id")),
        event_id=event.id,
        occurred_at=http.aware(event.occurred_at),
    )


def _standing(payload: _Payload, provider_message_id: str | None, event_type: str = "") -> StatusEvent:
    word = (payload.to[0].status if payload.to else None) or event_type
    error = payload.errors[0] if payload.errors else None
    return StatusEvent(
        status=STATUSES.get(word),
        vendor_status=word,
        provider_message_id=provider_message_id,
        code=str(error.code) if error else None,
        detail=(error.detail or error.title or None) if error else None,
    )
