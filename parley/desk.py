"""What an operator asks and does from a terminal: tables over the same functions as the API's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from parley.core.account import DEFAULT_ACCOUNT
from parley.db.bell import Bell
from parley.db.pool import Database, open_database
from parley.delivery import dead, history, overview
from parley.delivery.dead import DeadLetter
from parley.messages import minutes
from parley.messages import read as messages
from parley.settings import Settings
from parley.webhooks.replay import Replayed

T = TypeVar("T")

_PAGE = 200
_console = Console(highlight=False)


def message(settings: Settings, message_id: str) -> None:
    """Show a message and its attempts."""

    async def look(db: Database) -> None:
        found = await messages.one(db, DEFAULT_ACCOUNT, message_id, settings.conversation_snippet_length)
        story = await history.attempts(db, DEFAULT_ACCOUNT, found.id)
        reason = f": {found.error.message}" if found.error else ""
        _say(
            f"{found.channel} {found.direction}, {found.sender} to {found.recipient}, {found.status}{reason}"
        )
        _table(
            ("n", "provider", "started", "took", "outcome", "HTTP", "code", "detail", "next"),
            (
                (a.n, a.provider, _when(a.started_at), _took(a.started_at, a.ended_at), a.outcome,
                 a.http_status, a.code, a.detail, _when(a.next_at))
                for a in story
            ),
        )  # fmt: skip

    _run(settings, look)


def dead_letters(settings: Settings) -> None:
    """List what was given up."""

    async def look(db: Database) -> None:
        _table(
            ("message", "since", "attempts", "channel", "to", "provider", "code", "error"),
            [
                (
                    d.message_id,
                    _when(d.died_at),
                    d.attempts,
                    d.channel,
                    d.to_address,
                    d.provider,
                    d.code,
                    d.error,
                )
                async for d in _letters(db)
            ],
        )

    _run(settings, look)


def retry(settings: Settings, message_ids: Sequence[str], *, everything: bool) -> None:
    """Have failed messages tried again."""

    async def act(db: Database) -> None:
        wanted = [str(letter.message_id) async for letter in _letters(db)] if everything else message_ids
        async with _bell(db):
            again = await dead.retry(db, DEFAULT_ACCOUNT, wanted)
        _say(f"{len(again)} of {len(wanted)} are queued again")

    _run(settings, act)


def cancel(settings: Settings, message_id: str) -> None:
    """Take a message out of the queue."""

    async def act(db: Database) -> None:
        async with _bell(db):
            await dead.cancel(db, DEFAULT_ACCOUNT, message_id)
        _say("canceled")

    _run(settings, act)


def providers(settings: Settings) -> None:
    """Show the breakers, the queues and the workers."""

    async def look(db: Database) -> None:
        names = (*settings.sms_providers, *settings.email_providers)
        hour = await minutes.hour(db, DEFAULT_ACCOUNT, datetime.now(UTC))
        _table(
            ("provider", "breaker", "failures", "until", "sent", "delivered", "failed", "last error", "at"),
            [
                (
                    p.provider,
                    p.state,
                    p.failures,
                    _when(p.until),
                    p.sent,
                    p.delivered,
                    p.failed,
                    p.last_error,
                    _when(p.last_error_at),
                )
                for p in await overview.providers(db, names, hour)
            ],
        )
        _table(
            ("channel", "ready", "under way", "waiting", "oldest"),
            [
                (q.channel, q.ready, q.claimed, q.waiting, _when(q.oldest_at))
                for q in await overview.queues(db)
            ],
        )
        _table(
            ("worker", "started", "seen", "in hand"),
            [(w.name, _when(w.started_at), _when(w.seen_at), w.in_hand) for w in await overview.workers(db)],
        )

    _run(settings, look)


def replayed(found: Sequence[Replayed], *, dry_run: bool) -> None:
    """Show what a replay changed."""
    _table(
        ("webhook", "source", "before", "now", "brought"),
        [(r.id, r.source, r.was, r.error or "understood", ", ".join(r.brought)) for r in found],
    )
    understood = sum(r.error is None for r in found)
    _say(f"{understood} of {len(found)} {'would be' if dry_run else 'are'} understood")


async def _letters(db: Database) -> AsyncIterator[DeadLetter]:
    after: UUID | None = None
    while True:
        page, after = await dead.letters(db, DEFAULT_ACCOUNT, _PAGE, after)
        for letter in page:
            yield letter
        if after is None:
            return


def _run(settings: Settings, act: Callable[[Database], Awaitable[T]]) -> T:
    async def with_database() -> T:
        async with open_database(settings.database_url, 2, "parley cli") as db:
            return await act(db)

    return asyncio.run(with_database())


@asynccontextmanager
async def _bell(db: Database) -> AsyncIterator[None]:
    """Wake workers and pages after what was done."""
    bell = Bell(db)
    yield
    bell.ring("deliveries")
    bell.ring("events")
    await bell.close()


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*heads, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    _console.print(table)


def _say(text: str) -> None:
    _console.print(text, markup=False)


def _when(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment is not None else None


def _took(start: datetime, end: datetime | None) -> str | None:
    return f"{(end - start).total_seconds() * 1000:.0f} ms" if end is not None else None
