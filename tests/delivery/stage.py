"""What the tests of delivery stand on: rules in small times, workers, messages, and looks into the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import msgspec

from parley.core.breaker import Limits
from parley.core.message import CHANNELS, Draft
from parley.core.retry import Backoff
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery.rules import Rules
from parley.delivery.worker import Worker
from parley.messages.store import store
from parley.providers.base import Provider
from parley.providers.registry import Providers
from tests.delivery.vendor import Post
from tests.drafts import outbound

RULES = Rules(
    batch=64,
    concurrency=16,
    lease=5.0,
    timeout=0.5,
    max_retries=3,
    backoff=Backoff(0.02, 0.05),
    breaker=Limits(1000, timedelta(seconds=0.3), timedelta(seconds=1)),
    probes=2,
    grace=0.2,
    unknown_wait=0.3,
    unknown_policy="at-least-once",
    segments_per_second=0.0,
)


def ruled(**changes: Any) -> Rules:
    """The rules with some of them changed."""
    return msgspec.structs.replace(RULES, **changes)


def carriers(*posts: Post) -> Providers:
    """These providers, each for its channels, in this order."""
    # A post differs from other providers in that its name and abilities are its own and not its class's.
    providers = cast("tuple[Provider, ...]", posts)
    carrying = {
        channel: tuple(provider for provider in providers if channel in provider.channels)
        for channel in CHANNELS
    }
    return Providers({provider.name: provider for provider in providers}, carrying)


@asynccontextmanager
async def working(
    db: Database, url: str, providers: Providers, rules: Rules = RULES, workers: int = 1
) -> AsyncIterator[None]:
    """Workers that run, and have to end cleanly."""
    bell, stop = Bell(db), asyncio.Event()
    running = [asyncio.create_task(Worker(rules, db, providers, bell).run(url, stop)) for _ in range(workers)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)
        await bell.close()


async def until(met: Callable[[], Awaitable[object] | object], seconds: float = 20.0) -> None:
    """Wait until a condition is met."""
    async with asyncio.timeout(seconds):
        while True:
            answer = met()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.01)


async def enqueue(db: Database, drafts: Iterable[Draft]) -> list[str]:
    """Store messages for delivery, one after the other if they share a conversation; answers their ids."""
    listed = list(drafts)
    await store(db, listed)
    return [draft.id for draft in listed]


def to_many(count: int, **changes: Any) -> list[Draft]:
    """Messages to so many people."""
    return [outbound(recipient=f"+1804555{n:04d}", **changes) for n in range(count)]


async def drained(db: Database) -> bool:
    """Whether nothing waits for delivery."""
    return bool(await db.fetchval("select not exists (select from deliveries)"))


async def statuses(db: Database) -> dict[str, int]:
    """How many messages have each status."""
    rows = await db.fetch("select status, count(*) from messages group by status")
    return {row["status"]: row["count"] for row in rows}


async def history(db: Database, message_id: str) -> list[tuple[str, str, str | None]]:
    """A message's attempts: provider, outcome, code."""
    rows = await db.fetch(
        "select provider, outcome, code from attempts where message_id = $1::uuid order by n", message_id
    )
    return [(row["provider"], row["outcome"], row["code"]) for row in rows]
