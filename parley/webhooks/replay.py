"""Runs webhooks again that were kept because they were not understood, and says what changed."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import asyncpg
import msgspec

from parley.core.message import Inbound, StatusEvent
from parley.core.webhook import Webhook
from parley.db.pool import Database
from parley.db.sql import statements
from parley.providers.base import Provider
from parley.providers.generic import PARSERS
from parley.webhooks.intake import Intake, Parsed

_SQL = statements("parley.webhooks", "webhooks.sql")
_PAGE = 100
_FIRST = UUID(int=0)


class Replayed(msgspec.Struct, frozen=True):
    """What became of one kept webhook this time; `error` is what still stands in the way."""

    id: UUID
    source: str
    was: str
    error: str | None
    brought: tuple[str, ...]


async def replay(
    db: Database, intake: Intake, providers: Mapping[str, Provider], *, dry_run: bool
) -> AsyncIterator[Replayed]:
    """Try every unparsed webhook again, the oldest first; a dry run only looks."""
    place: tuple[int, UUID] = (0, _FIRST)
    while rows := await db.fetch(_SQL["unparsed"], *place, _PAGE):
        for row in rows:
            place = (row["account_id"], row["id"])
            yield await _again(db, intake, providers, row, dry_run)


async def _again(
    db: Database, intake: Intake, providers: Mapping[str, Provider], row: asyncpg.Record, dry_run: bool
) -> Replayed:
    found, error = _parse(row, providers)
    if not dry_run:
        await intake.again(row["source"], found)
        name, more = ("replayed", ()) if error is None else ("still_unparsed", (error,))
        await db.execute(_SQL[name], row["account_id"], row["id"], *more)
    return Replayed(row["id"], row["source"], row["error"] or "", error, tuple(map(_name, found)))


def _parse(row: asyncpg.Record, providers: Mapping[str, Provider]) -> tuple[list[Parsed], str | None]:
    """Understand a kept webhook, as far as this version can."""
    source, body = row["source"], row["body"]
    headers = msgspec.json.decode(row["headers"] or "{}")
    webhook = Webhook(method="POST", url=row["url"] or "", headers=headers, body=body)
    try:
        if source in PARSERS:
            return [PARSERS[source](body)], None
        if source in providers:
            return list(providers[source].parse(webhook)), None
    except Exception as error:
        return [], f"{type(error).__name__}: {error}"[:1000]
    return [], f"no provider is called {source}"


def _name(found: Parsed) -> str:
    if isinstance(found, StatusEvent):
        return f"status {found.vendor_status}"
    assert isinstance(found, Inbound)
    return f"{found.channel} from {found.sender}"
