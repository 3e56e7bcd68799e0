"""The way in for webhooks: believe, keep, understand, store; what is not understood is kept all the same."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from parley import metrics
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Unreadable
from parley.core.ids import new_id
from parley.core.message import Draft, Inbound, Stored
from parley.db.batcher import Batcher
from parley.db.pool import Database
from parley.db.sql import statements
from parley.messages.receive import take
from parley.messages.send import Rules

_SQL = statements("parley.webhooks", "webhooks.sql")

# Credentials in a stored header would outlive their rotation.
_NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


class Intake:
    """Takes messages from providers into the store."""

    def __init__(self, db: Database, batcher: Batcher[Draft, Stored], rules: Rules) -> None:
        self._db = db
        self._batcher = batcher
        self._rules = rules

    async def receive(self, inbound: Inbound, provider: str, raw: bytes) -> Stored:
        """Store an inbound message together with the raw request that brought it."""
        draft = take(inbound, DEFAULT_ACCOUNT, provider, self._rules, datetime.now(UTC), raw)
        return await self._batcher.put(draft)

    async def keep_unparsed(
        self, source: str, url: str, headers: Mapping[str, str], raw: bytes, error: Unreadable
    ) -> None:
        """Keep what was not understood, so that it can be replayed after the fix."""
        kept = {name: value for name, value in headers.items() if name not in _NEVER_KEPT}
        text = msgspec.json.encode(kept).decode().replace("\\u0000", "")
        await self._db.execute(
            _SQL["keep_unparsed"], DEFAULT_ACCOUNT, new_id(), source, url, text, raw, error.message[:1000]
        )
        metrics.UNPARSED.labels(source).inc()
