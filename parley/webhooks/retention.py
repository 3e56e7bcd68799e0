"""Forgets what is past its time, in small batches, so that nobody ever waits for it."""

import asyncio

import structlog

from parley.core.errors import DatabaseAway
from parley.core.trouble import place
from parley.db.pool import Database
from parley.db.sql import statements
from parley.settings import Settings

log = structlog.get_logger()

_SQL = statements("parley.webhooks", "retention.sql")
_BATCH = 1000
_PAUSE_SECONDS = 0.05
_ROUND_SECONDS = 600.0


async def run(settings: Settings, db: Database) -> None:
    """Clean up every few minutes, for ever."""
    while True:
        try:
            await clean(settings, db)
        except DatabaseAway:
            log.debug("retention_postponed")
        except Exception as error:  # a duty that ends unseen helps nobody
            log.error("retention_broke", error=type(error).__name__, at=place(error))
        await asyncio.sleep(_ROUND_SECONDS)


async def clean(settings: Settings, db: Database) -> int:
    """Forget all that is past its time; says how many rows that were."""
    return (
        await _forget(db, "forget_raw", settings.raw_events_days)
        + await _forget(db, "forget_events", settings.events_days)
        + await _forget(db, "forget_limits")
    )


async def _forget(db: Database, statement: str, *arguments: int) -> int:
    forgotten = 0
    while True:
        deleted = int((await db.execute(_SQL[statement], *arguments, _BATCH)).rpartition(" ")[2])
        forgotten += deleted
        if deleted < _BATCH:
            return forgotten
        await asyncio.sleep(_PAUSE_SECONDS)
