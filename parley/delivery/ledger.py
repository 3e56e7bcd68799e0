"""Writes down how attempts ended, in sets; whatever happens to the database, a known end is not given up."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg
import msgspec
import structlog

from parley.core.errors import DatabaseAway
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.aftermath import Aftermath
from parley.delivery.health import Health
from parley.delivery.queue import Settled
from parley.delivery.results import Result
from parley.delivery.verdict import Verdict

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0

# What passes by itself: the server is away, or two statements stood in each other's way.
_PASSING = (DatabaseAway, asyncpg.TransactionRollbackError)


class Ended(msgspec.Struct, frozen=True):
    """An attempt that has ended, and what follows from it."""

    result: Result
    verdict: Verdict


class Ledger:
    """Settles what has ended while the last set was being written, one set at a time."""

    def __init__(
        self, db: Database, bell: Bell, health: Health, settled: Callable[[float | None], None]
    ) -> None:
        self._db = db
        self._bell = bell
        self._aftermath = Aftermath(db, bell, health)
        self._settled = settled
        self._batcher: Batcher[Ended, Settled | None] = Batcher(self._write)

    async def put(self, ended: Ended) -> Settled | None:
        """Write an end down; None if somebody else has taken the delivery over meanwhile."""
        try:
            return await self._batcher.put(ended)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            # Two messages with one id at the provider, say. The end is true even if its details are odd.
            log.warning(
                "settled_without_details", message_id=ended.verdict.message_id, error=type(error).__name__
            )
            bare = msgspec.structs.replace(ended.verdict, provider_message_id=None, http_status=None)
            return await self._batcher.put(Ended(ended.result, bare))

    async def close(self) -> None:
        """Wait until everything is written."""
        await self._batcher.close()
        await self._aftermath.close()

    async def _write(self, ended: Sequence[Ended]) -> list[Settled | Exception | None]:
        rows = {row.message_id: row for row in await self._settle([end.verdict for end in ended])}
        self._settled(min((end.verdict.wait for end in ended if not end.verdict.done), default=None))
        self._bell.ring("events")
        for end in ended:
            self._aftermath.follow(end.result, end.verdict)
        return [rows.get(end.verdict.message_id) for end in ended]

    async def _settle(self, verdicts: Sequence[Verdict]) -> list[Settled]:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await queue.settle(self._db, verdicts)
            except _PASSING:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
