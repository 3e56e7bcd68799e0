"""What providers report of messages: merged by rank, so that repetition and disorder change nothing.

A report may overtake our own commit of the provider's id. It then waits in `early_statuses`. The reporter
looks again after its commit, the worker looks after the commit of the id: whichever commits last sees the
other, so that no report falls between them. What a crash leaves in between, `sweep` picks up.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from parley.core.ids import is_uuid
from parley.core.message import StatusEvent
from parley.core.text import indexable, storable
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.messages", "statuses.sql")
_LONGEST_CODE, _LONGEST_DETAIL = 100, 500


class Report(msgspec.Struct, frozen=True):
    """A provider's word on a message of an account."""

    account_id: int
    provider: str
    event: StatusEvent


class Key(msgspec.Struct, frozen=True):
    """A message as its provider knows it."""

    account_id: int
    provider: str
    provider_message_id: str


class Applied(msgspec.Struct, frozen=True):
    """How many messages changed their status, and how many deliveries in doubt that settled."""

    changed: int = 0
    settled: int = 0

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(self.changed + other.changed, self.settled + other.settled)


async def apply(db: Database, reports: Iterable[Report], requests: str = "[]") -> Applied:
    """Merge reports, and keep the requests that brought them (a JSON array), in one commit.

    Reports on messages whose provider id is not known yet wait for it.
    """
    rows = [row for report in reports if (row := _row(report)) is not None]
    applied, early = await _merge(db, rows, requests)
    return applied + await adopt(db, early)


async def adopt(db: Database, keys: Iterable[Key]) -> Applied:
    """Merge what waits for these provider ids, as far as we know their messages now."""
    wanted = msgspec.json.encode(list(keys)).decode()
    return await _adopt(db, await db.fetch(_SQL["early_of"], wanted)) if wanted != "[]" else Applied()


async def sweep(db: Database) -> Applied:
    """Merge what a crash has left waiting, and forget what has waited in vain."""
    applied = await _adopt(db, await db.fetch(_SQL["early_lately"]))
    await db.execute(_SQL["expire"])
    return applied


async def _adopt(db: Database, rows: Sequence[asyncpg.Record]) -> Applied:
    if not rows:
        return Applied()
    # Merged before they are deleted: a crash in between only merges them once more.
    applied, _ = await _merge(db, [dict(row) for row in rows])
    await db.execute(_SQL["adopted"], [row["id"] for row in rows])
    return applied


async def _merge(db: Database, rows: list[dict[str, Any]], requests: str = "[]") -> tuple[Applied, set[Key]]:
    if not rows and requests == "[]":
        return Applied(), set()
    results = await db.fetch(_SQL["merge"], msgspec.json.encode(rows).decode(), requests)
    settled = [row for row in results if row["what"] == "settled"]
    if settled:
        await db.fetch(_SQL["let_go"], msgspec.json.encode([dict(row) for row in settled]).decode())
    early = {
        Key(row["account_id"], row["provider"], row["provider_message_id"])
        for row in results
        if row["what"] == "early"
    }
    return Applied(sum(row["what"] == "changed" for row in results), len(settled)), early


def _row(report: Report) -> dict[str, Any] | None:
    """The columns of `merge`; None for an event that says nothing of a message's state."""
    event = report.event
    if event.status is None:
        return None
    return {
        "account_id": report.account_id,
        "provider": report.provider,
        "provider_message_id": indexable(event.provider_message_id),
        "message_id": event.message_id if event.message_id and is_uuid(event.message_id) else None,
        "status": event.status,
        "occurred_at": _aware(event.occurred_at),
        "code": storable(event.code, _LONGEST_CODE) if event.code else None,
        "detail": storable(event.detail, _LONGEST_DETAIL) if event.detail else None,
    }


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
