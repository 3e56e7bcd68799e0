"""What follows the commit of attempts: reports that came too early, and what the ends say of the providers."""

from collections import defaultdict
from collections.abc import Sequence

import structlog

from parley.core.outcome import SendFailed
from parley.core.text import storable
from parley.core.trouble import place
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery.health import Health
from parley.delivery.results import Result, trips
from parley.delivery.verdict import Verdict
from parley.messages import status
from parley.messages.status import Key

log = structlog.get_logger()

_LONGEST_ERROR = 500


class Aftermath:
    """Works beside the settling, in sets of its own, so that nobody waits for it."""

    def __init__(self, db: Database, bell: Bell, health: Health) -> None:
        self._db = db
        self._bell = bell
        self._health = health
        self._batcher: Batcher[tuple[Result, Verdict], None] = Batcher(self._work)

    def follow(self, result: Result, verdict: Verdict) -> None:
        """Attend to an end that is committed."""
        self._batcher.put((result, verdict))

    async def close(self) -> None:
        """Wait until everything is attended to."""
        await self._batcher.close()

    async def _work(self, ends: Sequence[tuple[Result, Verdict]]) -> list[Exception | None]:
        try:
            await self._adopt([verdict for _, verdict in ends])
            await self._record(ends)
        except Exception as error:  # early reports are swept up later, and health shows itself again
            log.warning("aftermath_lost", error=type(error).__name__, at=place(error))
        return [None] * len(ends)

    async def _adopt(self, verdicts: Sequence[Verdict]) -> None:
        keys = [
            Key(verdict.account_id, verdict.provider, verdict.provider_message_id)
            for verdict in verdicts
            if verdict.provider_message_id is not None
        ]
        if (await status.adopt(self._db, keys)).changed:
            self._bell.ring("events")

    async def _record(self, ends: Sequence[tuple[Result, Verdict]]) -> None:
        signs: dict[str, list[bool]] = defaultdict(list)
        errors: dict[str, str] = {}
        for result, verdict in ends:
            if (trip := trips(result)) is not None:
                signs[verdict.provider].append(trip)
            if trip and isinstance(result, SendFailed):
                errors[verdict.provider] = storable(result.detail, _LONGEST_ERROR)
        for provider, signals in signs.items():
            await self._health.record(provider, signals, errors.get(provider))
