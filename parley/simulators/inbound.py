"""Messages that people send to us: posted as our generic webhook, or as the vendor's own, signed."""

import time
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, FormData

from parley.core.errors import Invalid
from parley.core.message import Channel
from parley.core.segments import measure
from parley.simulators.config import VendorName
from parley.simulators.ledger import Entry
from parley.simulators.postbox import Letter
from parley.simulators.sendgrid.inbound import parsed_mail
from parley.simulators.telnyx.resource import Extra as TelnyxExtra
from parley.simulators.telnyx.webhooks import inbound_letter
from parley.simulators.twilio.callbacks import inbound_fields, letter
from parley.simulators.twilio.resource import API
from parley.simulators.twilio.resource import Extra as TwilioExtra
from parley.simulators.wire import json_encode
from parley.simulators.world import World

_LONGEST_ANSWER = 1_000_000


class Order(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from", "recipient": "to"}):
    """A person writes: what, to whom, and how we shall hear of it."""

    channel: Channel
    sender: str
    recipient: str
    body: str = ""
    attachments: list[str] | None = None
    subject: str | None = None
    timestamp: str | None = None
    target: Literal["generic", "vendor"] = "generic"
    vendor: Literal["twilio", "telnyx", "sendgrid"] | None = None
    provider_message_id: str | None = None
    headers: dict[str, str] = {}
    """More header lines of an email, such as `Message-ID` and `In-Reply-To`."""


class Unreachable(Exception):
    """Nobody took the webhook."""


class Heard(msgspec.Struct, frozen=True):
    """What the receiver of the webhook answered."""

    status: int
    provider_message_id: str
    answer: Any = None


async def deliver(world: World, session: ClientSession, order: Order, origin: str) -> Heard:
    """Post an inbound message; raises `Unreachable`."""
    vendor = _vendor(order)
    if not world.config.webhook_base_url:
        raise Invalid.field("webhook_base_url", "the simulation was started without one")
    id = order.provider_message_id or _new_id(vendor, order)
    heard = world.optouts.hear(vendor, order.sender, order.recipient, order.body)
    base = world.config.webhook_base_url.rstrip("/")
    if order.target == "generic":
        path = "email" if order.channel == "email" else "sms"
        return await _post(session, f"{base}/api/webhooks/{path}", _generic(order, id), id)
    if vendor == "sendgrid":
        url = f"{base}/api/webhooks/sendgrid/inbound?token={world.config.credentials.sendgrid_inbound_token}"
        return await _post(session, url, _mail(order, id), id)
    entry = _entry(world, vendor, order, id)
    url = f"{base}/api/webhooks/{vendor}"
    event_id = str(uuid5(NAMESPACE_URL, id))
    if vendor == "telnyx":
        return await _post(session, url, inbound_letter(entry, event_id, url), id)
    known = world.config.credentials
    opt_out = heard if world.config.advanced_opt_out else None
    fields = inbound_fields(entry, known.twilio_account_sid, f"{origin}/twilio{API}", opt_out)
    return await _post(session, url, letter(known, url, fields, event_id), id)


def _vendor(order: Order) -> VendorName:
    usual: VendorName = "sendgrid" if order.channel == "email" else "twilio"
    vendor = order.vendor or usual
    if (vendor == "sendgrid") != (order.channel == "email"):
        raise Invalid.field("vendor", f"{vendor} does not carry {order.channel}")
    return vendor


def _new_id(vendor: VendorName, order: Order) -> str:
    if vendor == "twilio":
        return ("MM" if order.attachments else "SM") + uuid4().hex
    return str(uuid4()) if vendor == "telnyx" else uuid4().hex


def _moment(order: Order) -> float:
    try:
        given = datetime.fromisoformat(order.timestamp or "")
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return time.time()


def _generic(order: Order, id: str) -> Letter:
    moment = datetime.fromtimestamp(time.time(), UTC).isoformat().replace("+00:00", "Z")
    payload: dict[str, Any] = {
        "from": order.sender,
        "to": order.recipient,
        "body": order.body,
        "attachments": order.attachments,
        "timestamp": order.timestamp or moment,
    }
    if order.channel == "email":
        payload["xillio_id"] = id
    else:
        payload["type"] = order.channel
        payload["messaging_provider_id"] = id
    if order.subject is not None:
        payload["subject"] = order.subject
    return Letter(json_encode(payload), {"Content-Type": "application/json"})


def _mail(order: Order, id: str) -> FormData:
    return parsed_mail(
        sender=order.sender,
        recipient=order.recipient,
        subject=order.subject or "",
        body=order.body,
        attachments=order.attachments or [],
        headers={"Message-ID": f"<{id}@mail.example.com>", **order.headers},
        moment=_moment(order),
    )


def _entry(world: World, vendor: VendorName, order: Order, id: str) -> Entry:
    """The message as the vendor keeps it; one that is sent again is the same."""
    if (known := world.ledger.get(id)) is not None and known.vendor == vendor:
        return known
    media = tuple(order.attachments or ())
    telnyx = TelnyxExtra(media=media, subject=order.subject, received_at=_moment(order))
    entry = Entry(
        vendor=vendor,
        id=id,
        our_id=None,
        sender=order.sender,
        recipient=order.recipient,
        body=order.body,
        accepted_at=world.now(),
        direction="inbound",
        segments=1 if media else measure(order.body).count,
        extra=TwilioExtra(media=media) if vendor == "twilio" else telnyx,
    )
    world.ledger.add(entry)
    return entry


async def _post(session: ClientSession, url: str, content: Letter | FormData, id: str) -> Heard:
    body, headers = (content.body, content.headers) if isinstance(content, Letter) else (content, {})
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return Heard(answer.status, id, await _json(answer))
    except (ClientError, TimeoutError, OSError) as error:
        raise Unreachable(f"{url.partition('?')[0]} did not answer: {type(error).__name__}") from None


async def _json(answer: ClientResponse) -> Any:
    try:
        return msgspec.json.decode(await answer.content.read(_LONGEST_ANSWER))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
