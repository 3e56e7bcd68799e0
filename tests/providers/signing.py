"""What the tests of signatures share."""

from datetime import UTC, datetime

from parley.core.errors import Forged
from parley.core.webhook import Webhook
from parley.providers.base import Provider

URL = "https://parley.example/api/webhooks/"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BAD_TIMES = ["", "soon", "1e9", "-5", "\u0661\u0662", "9" * 5000, STAMP + ".5"]


def believes(receiving: Provider, webhook: Webhook, now: datetime | None = None) -> bool:
    """Whether a provider takes a webhook for its vendor's."""
    try:
        receiving.verify(webhook, now or datetime.now(UTC))
    except Forged:
        return False
    return True
