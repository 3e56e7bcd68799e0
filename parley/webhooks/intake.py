"""The way in for webhooks: believe, understand, store with the raw request; what makes no sense is kept too."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import structlog

from parley import metrics
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Forged, Unreadable
from parley.core.message import Draft, Inbound, StatusEvent, Stored
from parley.core.webhook import Webhook
from parley.db.batcher import Batcher
from parley.messages.receive import take
from parley.messages.send import Rules
from parley.messages.status import Report
from parley.providers.base import Provider
from parley.providers.generic import PARSERS
from parley.webhooks.raw import raw_event
from parley.webhooks.tidings import Tidings

log = structlog.get_logger()

Parsed = Inbound | StatusEvent


class Intake:
    """Takes what providers bring into the store."""

    def __init__(
        self,
        messages: Batcher[Draft, Stored],
        tidings: Batcher[Tidings, None],
        rules: Rules,
    ) -> None:
        self._messages = messages
        self._tidings = tidings
        self._rules = rules

    async def generic(self, source: str, webhook: Webhook) -> tuple[Inbound, Stored]:
        """Store a message from a plain webhook; what is not understood is kept and refused as `Unreadable`."""
        try:
            inbound = PARSERS[source](webhook.body)
            draft = self._draft(inbound, source, webhook.body)
        except Unreadable as error:
            await self._keep_unparsed(source, webhook, error.message)
            raise
        return inbound, await self._messages.put(draft)

    async def vendor(self, provider: Provider, webhook: Webhook) -> None:
        """Store what a vendor's webhook brings; raises `Forged`, and nothing else that is the vendor's fault."""
        try:
            provider.verify(webhook, datetime.now(UTC))
        except Forged:
            metrics.FORGED.labels(provider.name).inc()
            raise
        try:
            drafts, reports = self._sorted(provider.parse(webhook), provider.name)
        except Exception as error:
            # The exception's text may hold the message; its type says enough to find the place.
            log.warning("webhook_unparsed", source=provider.name, error=type(error).__name__)
            reason = error.message if isinstance(error, Unreadable) else type(error).__name__
            await self._keep_unparsed(provider.name, webhook, reason)
            return
        await self._store(drafts, Tidings(raw_event(provider.name, webhook), reports))

    async def again(self, source: str, found: Sequence[Parsed]) -> None:
        """Store what a replay understood."""
        drafts, reports = self._sorted(found, source)
        await self._store(drafts, Tidings(None, reports))

    async def _store(self, drafts: Sequence[Draft], tidings: Tidings) -> None:
        kept = self._tidings.put(tidings)
        if drafts:
            await asyncio.gather(kept, *map(self._messages.put, drafts))
        else:
            await kept

    def _sorted(self, found: Iterable[Parsed], provider: str) -> tuple[list[Draft], list[Report]]:
        drafts, reports = [], []
        for one in found:
            if isinstance(one, StatusEvent):
                reports.append(Report(DEFAULT_ACCOUNT, provider, one))
            else:
                drafts.append(self._draft(one, provider))
        return drafts, reports

    def _draft(self, inbound: Inbound, provider: str, raw: bytes | None = None) -> Draft:
        return take(inbound, DEFAULT_ACCOUNT, provider, self._rules, datetime.now(UTC), raw)

    async def _keep_unparsed(self, source: str, webhook: Webhook, reason: str) -> None:
        await self._tidings.put(Tidings(raw_event(source, webhook, reason)))
        metrics.UNPARSED.labels(source).inc()
