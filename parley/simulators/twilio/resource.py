"""A message, a medium and a page of them as Twilio's JSON shows them; the status follows from the clock alone."""

from email.utils import formatdate
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from parley.simulators.config import Simulation
from parley.simulators.ledger import Entry
from parley.simulators.media import content_type
from parley.simulators.twilio.rules import DELIVERY_FAILURES

API = "/2010-04-01/Accounts"
_NEVER_LEFT = frozenset({30001, 30002})


class Extra(msgspec.Struct, gc=False):
    """What only some of Twilio's messages have."""

    media: tuple[str, ...] = ()
    service: str | None = None
    send_at: float | None = None
    canceled: bool = False
    deleted: bool = False


PLAIN = Extra()


def extra(entry: Entry) -> Extra:
    """The rare properties of a message."""
    return entry.extra if isinstance(entry.extra, Extra) else PLAIN


def final_status(entry: Entry) -> str:
    """Where the message will end."""
    if entry.failure is None:
        return "delivered"
    return "failed" if entry.failure in _NEVER_LEFT else "undelivered"


def status(entry: Entry, config: Simulation, now: float) -> str:
    """Where the message stands."""
    own = extra(entry)
    if entry.direction == "inbound":
        return "received"
    if own.canceled:
        return "canceled"
    age = (now - (own.send_at or entry.accepted_at)) * 1000
    if age < 0:
        return "scheduled"
    if own.service and age < config.sent_ms / 2:
        return "accepted"
    if age < config.sent_ms:
        return "queued"
    if entry.failure in _NEVER_LEFT or age >= config.delivered_ms:
        return final_status(entry)
    return "sent"


def message(entry: Entry, account: str, config: Simulation, now: float) -> dict[str, Any]:
    """The Message resource."""
    own = extra(entry)
    stands = status(entry, config, now)
    underway = stands in ("accepted", "queued", "scheduled", "canceled")
    failed = stands in ("failed", "undelivered")
    uri = f"{API}/{account}/Messages/{entry.id}"
    start = own.send_at or entry.accepted_at
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": entry.body,
        "date_created": rfc2822(int(entry.accepted_at)),
        "date_sent": None if underway else rfc2822(int(start + config.sent_ms / 1000)),
        "date_updated": rfc2822(int(entry.accepted_at)),
        "direction": "inbound" if entry.direction == "inbound" else "outbound-api",
        "error_code": entry.failure if failed else None,
        "error_message": DELIVERY_FAILURES.get(entry.failure or 0) if failed else None,
        "from": None if own.service and underway else entry.sender,
        "messaging_service_sid": own.service,
        "num_media": str(len(own.media)),
        "num_segments": "0" if own.service and underway else str(entry.segments),
        "price": None if underway else f"-{entry.segments * 0.0079:.5f}",
        "price_unit": "USD",
        "sid": entry.id,
        "status": stands,
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "tags": None,
        "to": entry.recipient,
        "uri": f"{uri}.json",
    }


def media_sid(entry: Entry, index: int) -> str:
    """The id of a message's nth medium."""
    return "ME" + sha256(f"{entry.id}/{index}".encode()).hexdigest()[:32]


def medium(entry: Entry, index: int, account: str) -> dict[str, Any]:
    """The Media resource."""
    sid = media_sid(entry, index)
    created = rfc2822(int(entry.accepted_at))
    return {
        "account_sid": account,
        "content_type": content_type(extra(entry).media[index]),
        "date_created": created,
        "date_updated": created,
        "parent_sid": entry.id,
        "sid": sid,
        "uri": f"{API}/{account}/Messages/{entry.id}/Media/{sid}.json",
    }


def page(
    key: str,
    items: list[dict[str, Any]],
    uri: str,
    number: int = 0,
    size: int = 50,
    next_uri: str | None = None,
) -> dict[str, Any]:
    """A page of resources."""
    return {
        "end": number * size + max(len(items) - 1, 0),
        "first_page_uri": uri,
        "next_page_uri": next_uri,
        "page": number,
        "page_size": size,
        "previous_page_uri": None,
        "start": number * size,
        "uri": uri,
        key: items,
    }


@lru_cache(maxsize=1024)
def rfc2822(second: int) -> str:
    """A time as Twilio writes it."""
    return formatdate(second, usegmt=True).replace("GMT", "+0000")
