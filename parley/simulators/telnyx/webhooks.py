"""What Telnyx posts: status events and inbound messages, signed with its Ed25519 key."""

import time
from base64 import b64encode
from typing import Any
from uuid import uuid4

from parley.simulators.config import Simulation
from parley.simulators.credentials import TELNYX_SIGNING_KEY
from parley.simulators.ledger import Entry
from parley.simulators.postbox import Letter
from parley.simulators.telnyx.resource import inbound, iso, message
from parley.simulators.wire import json_encode


class StatusEvent:
    """Writes one status event; its id stays the same at every attempt."""

    __slots__ = ("_config", "_entry", "_event_id", "_name")

    def __init__(self, config: Simulation, entry: Entry, name: str) -> None:
        self._config = config
        self._entry = entry
        self._name = name
        self._event_id = str(uuid4())

    def __call__(self, url: str, attempt: int) -> Letter | None:
        delay = self._config.sent_ms if self._name == "message.sent" else self._config.delivered_ms
        moment = self._entry.accepted_at + (delay + 0.5) / 1000
        payload = message(self._entry, self._config, moment)
        return letter(self._name, self._event_id, payload, moment, url, attempt)


def inbound_letter(entry: Entry, event_id: str, url: str) -> Letter:
    """The event of an inbound message."""
    moment = entry.extra.received_at or entry.accepted_at
    return letter("message.received", event_id, inbound(entry), moment, url, 1)


def letter(
    name: str, event_id: str, payload: dict[str, Any], moment: float, url: str, attempt: int
) -> Letter:
    """An event, signed as of now."""
    body = json_encode(
        {
            "data": {
                "record_type": "event",
                "event_type": name,
                "id": event_id,
                "occurred_at": iso(moment),
                "payload": payload,
            },
            "meta": {"attempt": attempt, "delivered_to": url},
        }
    )
    timestamp = str(int(time.time()))
    signature = TELNYX_SIGNING_KEY.sign(timestamp.encode() + b"|" + body)
    return Letter(
        body,
        {
            "Content-Type": "application/json; charset=utf-8",
            "telnyx-signature-ed25519": b64encode(signature).decode(),
            "telnyx-timestamp": timestamp,
            "User-Agent": "telnyx-webhooks",
        },
    )
