"""The traffic that is measured: one business and five thousand customers, each a conversation of its own."""

from datetime import UTC, datetime

from parley.core.message import Draft, Inbound
from parley.db.pool import open_database
from parley.messages.receive import take
from parley.messages.send import Order, Rules, compose
from parley.messages.store import store
from parley.providers.generic import SMS

CONVERSATIONS = 5_000
BUSINESS = "+12015550100"
FIRST = 14_152_000_000
RULES = Rules("US", "pair", 8)
TEXT = "Hello, your order 1000 has left our house and should reach you tomorrow before noon."


def customer(n: int) -> str:
    """The number of the nth customer."""
    return f"+{FIRST + n}"


def inbound(n: int, provider_message_id: str, raw: bytes | None = None) -> Draft:
    """A message from the nth customer."""
    message = Inbound(
        channel="sms",
        sender=customer(n),
        recipient=BUSINESS,
        body=TEXT,
        provider_message_id=provider_message_id,
    )
    return take(message, 1, SMS, RULES, datetime.now(UTC), raw)


def outbound(n: int) -> Draft:
    """A message to the nth customer."""
    order = Order(account_id=1, channel="sms", sender=BUSINESS, recipient=customer(n), body=TEXT)
    return compose(order, RULES, datetime.now(UTC))


async def open_conversations(url: str) -> None:
    """Let every customer have written once, so that no run pays for opening conversations."""
    drafts = [inbound(n, f"first-{n}") for n in range(CONVERSATIONS)]
    async with open_database(url, 1, "bench") as db:
        for start in range(0, CONVERSATIONS, 500):
            await store(db, drafts[start : start + 500])
