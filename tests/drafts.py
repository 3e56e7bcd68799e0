"""Drafts for tests: a message between two numbers, with whatever the test cares about."""

from datetime import UTC, datetime
from typing import Any

from parley.core.message import Draft, Inbound
from parley.messages.receive import take
from parley.messages.send import Order, Rules, compose

RULES = Rules("US", "pair", 8)
BUSINESS, CUSTOMER = "+12016661234", "+18045551234"
NOON = datetime(2024, 11, 1, 12, tzinfo=UTC)


def outbound(key: str | None = None, now: datetime = NOON, **changes: Any) -> Draft:
    """An SMS from the business."""
    fields: dict[str, Any] = {
        "account_id": 1, "channel": "sms", "sender": BUSINESS, "recipient": CUSTOMER, "body": "Hello"
    }  # fmt: skip
    return compose(Order(**(fields | changes)), RULES, now, key)


def inbound(
    provider_message_id: str | None, now: datetime = NOON, raw: bytes | None = None, **changes: Any
) -> Draft:
    """An SMS from the customer."""
    fields: dict[str, Any] = {
        "channel": "sms", "sender": CUSTOMER, "recipient": BUSINESS, "body": "Hi",
        "provider_message_id": provider_message_id,
    }  # fmt: skip
    return take(Inbound(**(fields | changes)), 1, "messaging", RULES, now, raw)
