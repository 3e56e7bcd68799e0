"""A message as Telnyx's JSON shows it; the status follows from the clock alone."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from parley.core.segments import measure
from parley.simulators.config import Simulation
from parley.simulators.ledger import Entry
from parley.simulators.media import content_type
from parley.simulators.telnyx.rules import DELIVERY_FAILURES

PROFILE_ID = str(uuid5(NAMESPACE_URL, "parley simulator messaging profile"))
ORGANIZATION_ID = str(uuid5(NAMESPACE_URL, "parley simulator organization"))


class Extra(msgspec.Struct, frozen=True, gc=False):
    """What a message has besides its text."""

    media: tuple[str, ...] = ()
    subject: str | None = None
    webhook_url: str | None = None
    webhook_failover_url: str | None = None
    received_at: float | None = None
    """When the person wrote, if that is not when the webhook was asked for."""


def final_status(entry: Entry) -> str:
    """Where the message will end."""
    return "delivered" if entry.failure is None else "delivery_failed"


def status(entry: Entry, config: Simulation, now: float) -> str:
    """Where the message stands."""
    age = (now - entry.accepted_at) * 1000
    if age < config.sent_ms:
        return "queued"
    return "sent" if age < config.delivered_ms else final_status(entry)


def message(entry: Entry, config: Simulation, now: float) -> dict[str, Any]:
    """The outbound message resource at a moment."""
    stands = status(entry, config, now)
    sent = entry.accepted_at + config.sent_ms / 1000
    final = stands == final_status(entry)
    return {
        **_common(entry),
        "direction": "outbound",
        "from": {"phone_number": entry.sender, "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [_party(entry.recipient, stands)],
        "errors": _errors(entry) if final else [],
        "sent_at": None if stands == "queued" else iso(sent),
        "completed_at": iso(entry.accepted_at + config.delivered_ms / 1000) if final else None,
        "valid_until": iso(entry.accepted_at + 3600),
        "wait_seconds": 0.0,
    }


def inbound(entry: Entry) -> dict[str, Any]:
    """The inbound message resource."""
    return {
        **_common(entry),
        "direction": "inbound",
        "from": {"phone_number": entry.sender, "carrier": "Simulated Wireless", "line_type": "Wireless"},
        "to": [_party(entry.recipient, "webhook_delivered")],
        "errors": [],
        "sent_at": None,
        "completed_at": None,
        "valid_until": None,
    }


def iso(moment: float) -> str:
    """A time as Telnyx writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _common(entry: Entry) -> dict[str, Any]:
    own: Extra = entry.extra
    return {
        "record_type": "message",
        "id": entry.id,
        "type": "MMS" if own.media else "SMS",
        "organization_id": ORGANIZATION_ID,
        "messaging_profile_id": PROFILE_ID,
        "cc": [],
        "text": entry.body,
        "subject": own.subject,
        "media": [
            {"url": url, "content_type": content_type(url), "sha256": None, "size": None} for url in own.media
        ],
        "webhook_url": own.webhook_url,
        "webhook_failover_url": own.webhook_failover_url,
        "encoding": "GSM-7" if measure(entry.body).encoding == "gsm7" else "UCS-2",
        "parts": entry.segments,
        "tags": [],
        "cost": {"amount": f"{entry.segments * 0.0040:.4f}", "currency": "USD"},
        "received_at": iso(own.received_at or entry.accepted_at),
    }


def _party(number: str, status: str) -> dict[str, str]:
    return {
        "phone_number": number,
        "status": status,
        "carrier": "Simulated Wireless",
        "line_type": "Wireless",
    }


def _errors(entry: Entry) -> list[dict[str, str]]:
    if entry.failure is None:
        return []
    title, detail = DELIVERY_FAILURES[entry.failure]
    return [{"code": str(entry.failure), "title": title, "detail": detail}]
