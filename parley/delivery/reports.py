"""Asks after messages whose reports did not come: vendors lose callbacks, and so do networks.

Every message is looked at three times, at growing ages. A look goes through the ids in order of time, so that
it needs no index of its own and costs one pass over what was sent.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from parley.core.errors import DatabaseAway
from parley.core.outcome import SendFailed
from parley.core.trouble import place
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.db.sql import statements
from parley.messages.status import Report, apply
from parley.providers.base import Provider

log = structlog.get_logger()

_SQL = statements("parley.delivery", "reports.sql")
AGES = (1, 6, 36)
"""At which ages to look, in units of REPORT_WAIT_SECS: by default five minutes, half an hour, three hours."""
_AT_ONCE = 500
_IN_PARALLEL = 16


async def run(db: Database, bell: Bell, providers: Mapping[str, Provider], wait: float) -> None:
    """Look after missing reports, for ever."""
    while True:
        try:
            for look in range(len(AGES)):
                while await step(
                    db, bell, providers, look, datetime.now(UTC) - timedelta(seconds=wait * AGES[look])
                ):
                    pass
        except DatabaseAway:
            log.debug("reports_postponed")
        except Exception as error:  # a duty that ends unseen helps nobody
            log.error("reports_broke", error=type(error).__name__, at=place(error))
        await asyncio.sleep(min(30.0, wait / 2))


async def step(
    db: Database, bell: Bell, providers: Mapping[str, Provider], look: int, before: datetime
) -> bool:
    """Look at the next messages that were made before a moment; says whether there may be more."""
    through = await db.fetchval(_SQL["begin"], look, _first_id(before))
    until = max(_first_id(before), through)
    silent = await db.fetch(_SQL["silent"], through, until, _AT_ONCE)
    reached = silent[-1]["id"] if len(silent) == _AT_ONCE else until
    # Moved on before anybody is asked: a crash costs these messages one of their looks, never a second asking.
    if reached == through or await db.fetchval(_SQL["advance"], look, through, reached) is None:
        return False
    reports = await _ask(silent, providers)
    if (await apply(db, reports)).changed:
        bell.ring("events")
    if look == len(AGES) - 1:
        await _give_up(db, silent)
    return len(silent) == _AT_ONCE


async def _ask(silent: Iterable[asyncpg.Record], providers: Mapping[str, Provider]) -> list[Report]:
    gate = asyncio.Semaphore(_IN_PARALLEL)

    async def one(row: asyncpg.Record) -> Report | None:
        provider = providers.get(row["provider"])
        if provider is None or not provider.can_report or row["provider_message_id"] is None:
            return None
        async with gate:
            try:
                event = await provider.status(row["provider_message_id"])
            except SendFailed:
                return None
        return Report(row["account_id"], row["provider"], event) if event is not None else None

    answers = await asyncio.gather(*(one(row) for row in silent))
    return [report for report in answers if report is not None]


async def _give_up(db: Database, silent: Iterable[asyncpg.Record]) -> None:
    rows = list(silent)
    if rows:
        await db.execute(_SQL["give_up"], [row["account_id"] for row in rows], [row["id"] for row in rows])


def _first_id(moment: datetime) -> UUID:
    """The lowest UUIDv7 of a moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
