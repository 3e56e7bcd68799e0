"""SendGrid: email through the v3 API, the Event Webhook and Inbound Parse."""

import hmac
from base64 import b64decode
from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import msgspec
from aiohttp import ClientSession
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from parley.core.errors import Forged, Unreadable
from parley.core.message import Channel, Inbound, Outgoing, Status, StatusEvent
from parley.core.outcome import Accepted, SendFailed, Unknown
from parley.core.webhook import Webhook
from parley.providers import http, mail, mime
from parley.settings import Settings, SettingsError

STATUSES: dict[str, Status | None] = {
    "processed": "sending",
    "deferred": "sending",  # the receiving server asked to wait; SendGrid tries on for 72 hours
    "delivered": "delivered",
    "bounce": "undelivered",  # of type bounce or blocked; it may even come after delivered
    "dropped": "failed",  # never left SendGrid: unsubscribed, bounced before, marked as spam, over quota
    "open": "read",
    "click": "read",
    "spamreport": None,  # what a reader thinks of it is no state of delivery
    "unsubscribe": None,
    "group_unsubscribe": None,
    "group_resubscribe": None,
}

_TOLERANCE = 600
_SIGNATURE, _TIMESTAMP = (f"x-twilio-email-event-webhook-{part}" for part in ("signature", "timestamp"))
_LONGEST_ID = 255


class _Error(msgspec.Struct):
    message: str
    field: str | None = None


class _Problem(msgspec.Struct):
    errors: list[_Error]


class _Envelope(msgspec.Struct):
    to: list[str] = []
    sender: str = msgspec.field(name="from", default="")


class SendGrid:
    """Speaks /v3/mail/send and both of SendGrid's webhooks."""

    name: ClassVar[str] = "sendgrid"
    channels: ClassVar[frozenset[Channel]] = frozenset({"email"})
    can_look_up: ClassVar[bool] = False  # only its events carry our id, and they come by themselves
    can_report: ClassVar[bool] = False
    requires: ClassVar[tuple[str, ...]] = ("sendgrid_api_key",)

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        self._settings = settings
        self._client = http.Client(session, settings.provider_timeout_secs)
        self._key = _public_key(settings.sendgrid_webhook_public_key)

    async def send(self, message: Outgoing) -> Accepted:
        """Send one mail; the answer has no body, only an id that begins those of its events."""
        headers = {
            "Authorization": f"Bearer {self._settings.sendgrid_api_key}",
            "Content-Type": "application/json",
            "Accept": "application/json",  # without it an error is answered with 406
        }
        url = f"{self._settings.sendgrid_base_url.rstrip('/')}/v3/mail/send"
        answer = await self._client.ask("POST", url, headers, msgspec.json.encode(_body(message)))
        if answer.status != 202:
            raise _refusal(answer)
        return Accepted(answer.headers.get("X-Message-Id"), answer.status)

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """There is nothing to ask."""
        raise Unknown("SendGrid cannot be asked for a message")

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """SendGrid tells by events only."""
        return None

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """Check the signature of events; Inbound Parse has none, and a token in its address vouches for it."""
        if mime.is_form(webhook):
            token = self._settings.sendgrid_inbound_token.encode()
            if not token or not hmac.compare_digest(http.query(webhook, "token").encode(), token):
                raise Forged("the address lacks the token of SENDGRID_INBOUND_TOKEN")
            return
        stamp = webhook.headers.get(_TIMESTAMP, "")
        http.check_time(stamp, now, _TOLERANCE)
        if self._key is None:
            raise Forged(
                "SENDGRID_WEBHOOK_PUBLIC_KEY is not set, so that no event of SendGrid can be believed"
            )
        try:
            signature = b64decode(webhook.headers.get(_SIGNATURE, ""), validate=True)
            self._key.verify(signature, stamp.encode() + webhook.body, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            raise Forged("the signature of SendGrid does not hold") from None

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """Read a form as a mail, and JSON as a list of events."""
        if mime.is_form(webhook):
            return (_inbound(mime.form(webhook)),)
        events = http.decode(webhook.body, list[dict[str, Any]])
        if events is None:
            raise Unreadable("no list of events")
        # Duplicates are routine, now and then within one request.
        return tuple(
            {event.get("sg_event_id") or n: _status(event) for n, event in enumerate(events)}.values()
        )


def _public_key(text: str) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(b64decode(text, validate=True)) if text else None
        if key is None or isinstance(key, ec.EllipticCurvePublicKey):
            return key
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise SettingsError(
        f"SENDGRID_WEBHOOK_PUBLIC_KEY is {text!r}, but takes the base64 verification key of the Event Webhook"
    )


def _body(message: Outgoing) -> dict[str, Any]:
    letter = mail.letter(message)
    content = [{"type": "text/plain", "value": letter.text}]
    if letter.html is not None:
        content.append({"type": "text/html", "value": letter.html})
    people: dict[str, Any] = {"to": [_person(letter.to)]}
    for field, boxes in (("cc", letter.cc), ("bcc", letter.bcc)):
        if boxes:
            people[field] = [_person(box) for box in boxes]
    body = {
        "personalizations": [people],
        "from": _person(letter.sender),
        "subject": letter.subject,
        "content": content,
        "custom_args": {
            "parley_message_id": message.id,
            "parley_account_id": str(message.account_id),
            "parley_to": letter.to.address,
        },
    }
    return body if letter.reply_to is None else body | {"reply_to": _person(letter.reply_to)}


def _person(box: mail.Mailbox) -> dict[str, str]:
    return {"email": box.address, "name": box.name} if box.name else {"email": box.address}


def _refusal(answer: http.Answer) -> SendFailed:
    problem = http.decode(answer.body, _Problem)
    if problem is None or not problem.errors or answer.status < 400:
        return http.refusal(answer, None)
    # SendGrid has no codes; the field that it points at is the nearest thing to one.
    text = "; ".join(error.message for error in problem.errors)
    return http.refusal(answer, text, code=problem.errors[0].field)


def _status(event: dict[str, Any]) -> StatusEvent:
    word = str(event.get("event") or "")
    status = STATUSES.get(word)
    if word == "open" and event.get("sg_machine_open") is True:
        status = "delivered"  # a mail program fetched the pictures ahead; nobody has read it
    to = event.get("parley_to")
    if to is not None and str(to).lower() != str(event.get("email", "")).lower():
        status = None  # it tells of somebody in cc or bcc, and must not pass for the recipient's
    return StatusEvent(
        status=status,
        vendor_status=word,
        provider_message_id=str(event.get("sg_message_id") or "").partition(".")[0] or None,
        message_id=http.our_id(event.get("parley_message_id")),
        event_id=_text(event.get("sg_event_id")),
        occurred_at=http.moment(event.get("timestamp")),
        code=_text(event.get("status") or event.get("type")),
        detail=_text(event.get("reason") or event.get("response")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _inbound(form: mime.Form) -> Inbound:
    found = mime.raw(form.fields["email"]) if "email" in form.fields else _mail(form)
    envelope = http.decode(form.fields.get("envelope", b""), _Envelope) or _Envelope()
    named = mime.addresses(found.to) + mime.addresses(found.cc)
    sender = found.sender or envelope.sender
    recipient = next(iter((*envelope.to, *named)), "")
    if not sender or not recipient:
        raise Unreadable("a mail without sender or recipient")
    return Inbound(
        channel="email",
        sender=sender,
        recipient=recipient,
        body=found.text if found.text.strip() else found.html,
        provider_message_id=_id(form, found, recipient if len(set(named)) > 1 else ""),
        occurred_at=mime.arrived(found.headers),
        subject=found.subject or None,
        cc=mime.addresses(found.cc),
        reply_to=mime.words(mime.header(found.headers, "reply-to")) or None,
        attachments=tuple(map(mime.attachment, found.files)),
    )


def _mail(form: mime.Form) -> mime.Mail:
    charsets = http.decode(form.fields.get("charsets", b""), dict[str, str]) or {}
    info = http.decode(form.fields.get("attachment-info", b""), dict[str, dict[str, Any]]) or {}

    def text(name: str) -> str:
        return mime.decoded(form.fields.get(name, b""), charsets.get(name, "utf-8"))

    names = [str(info.get(field, {}).get("filename") or name) for field, name in form.files]
    sender, to, cc, subject = (" ".join(text(name).split()) for name in ("from", "to", "cc", "subject"))
    return mime.Mail(mime.head(text("headers")), sender, to, cc, subject, text("text"), text("html"), names)


def _id(form: mime.Form, found: mime.Mail, recipient: str) -> str:
    """Make the id that Inbound Parse lacks; it posts a mail to two of our addresses twice, as two messages."""
    written = mime.header(found.headers, "message-id").strip("<>")
    key = f"{written} {recipient}".strip()
    if written and len(key) <= _LONGEST_ID and key.isprintable():
        return key
    kept = ("envelope", "headers", "subject", "text", "html", "email")
    return sha256(b"\0".join(form.fields.get(name, b"") for name in kept)).hexdigest()
