"""What the queue costs at a length where a wrong plan shows."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from parley.db import statistics
from parley.db.pool import Database
from parley.db.sql import statements
from parley.delivery import overview
from tests.delivery.stage import enqueue
from tests.drafts import outbound

_FILES = [
    ("parley.delivery", f"{name}.sql")
    for name in ("queue", "claim", "health", "heartbeat", "dead", "history", "overview")
] + [("parley.messages", "statuses.sql")]

STATEMENTS = statements("parley.delivery", "queue.sql") | statements("parley.delivery", "claim.sql")
_LONG = 40_000

_SEED = """
with held as (
    insert into conversations (account_id, id, uuid, key, channel, participants, last_activity_at)
    select 1, n, gen_random_uuid(), 'sms:' || n, 'sms', '{a,b}', now() from generate_series($1::int, $2::int) n
), stored as (
    insert into messages (
        account_id, id, conversation_id, direction, channel, from_address, to_address, body, status, segments,
        priority, occurred_at
    )
    select 1, gen_random_uuid(), n, 'outbound', $3::text, '+12016661234', '+1804' || n, 'Hello', 'queued', 1, 1, now()
    from generate_series($1::int, $2::int) n
    returning account_id, id, conversation_id, channel, from_address
)
insert into deliveries (
    account_id, message_id, conversation_id, channel, sender, segments, priority, due_at, state
)
select account_id, id, conversation_id, channel, from_address, 1, 1, now() + $4::interval, $5::text from stored
"""


async def seed(url: str, first: int, count: int, channel: str, wait: int, state: str) -> None:
    """Deliveries in a state, each in a conversation of its own."""
    connection = await asyncpg.connect(url)  # a new one, whose foreign key checks are planned anew
    try:
        await connection.execute("analyze conversations")
        await connection.execute(_SEED, first, first + count - 1, channel, timedelta(seconds=wait), state)
    finally:
        await connection.close()


def touched(plan: dict[str, Any]) -> int:
    """How many rows of tables, and of what was made of them, a plan has looked at."""
    removed = sum(
        plan.get(f"Rows Removed by {kind}", 0) for kind in ("Filter", "Join Filter", "Index Recheck")
    )
    below = sum(touched(child) for child in plan.get("Plans", ()))
    return below + int((plan["Actual Rows"] + removed) * plan["Actual Loops"])


@asynccontextmanager
async def measured(db: Database, name: str) -> AsyncIterator[Callable[[str], Awaitable[int]]]:
    """A statement planned now; the number of rows that it looks at when it is run with arguments."""
    types = {
        "claim": "(json, int, bigint, float8, uuid, float8)",
        "ripen": "(bigint)",
        "take_back": "(bigint)",
    }
    async with db.connection() as connection:
        # As on a server whose administrator has not told it that its disks have no heads.
        await connection.execute("set random_page_cost = 4; set plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare measured {types[name]} as {STATEMENTS[name]}")

        async def run(arguments: str) -> int:
            explain = f"explain (analyze, format json) execute measured ({arguments})"
            return touched(json.loads(await connection.fetchval(explain))[0]["Plan"])

        yield run
        await connection.execute("deallocate measured")


async def rows(db: Database, name: str, arguments: str) -> int:
    """How many rows a statement looks at with a fresh plan."""
    async with measured(db, name) as run:
        return await run(arguments)


def claim_arguments(sms_room: int = 100) -> str:
    """The arguments of a claim when email's breaker is open."""
    routes = [
        {"channel": "sms", "n": 0, "size": 1, "provider": "post", "room": sms_room, "opens_in": None},
        {"channel": "email", "n": 0, "size": 1, "provider": "mail", "room": 0, "opens_in": 30.0},
    ]
    return f"'{json.dumps(routes)}', 64, 0, 60, '{UUID(int=1)}', 0"


async def test_every_statement_fits_the_schema(db: Database) -> None:
    """Each query of delivery can be prepared against the migrated schema."""
    async with db.connection() as connection:
        for package, file in _FILES:
            for statement in statements(package, file).values():
                await connection.prepare(statement)


async def test_a_claim_costs_the_same_however_much_must_wait(db: Database, database_url: str) -> None:
    """Rows that are due later, stand behind others or belong to an open breaker are not even looked at."""
    await seed(database_url, 1, 100, "sms", 0, "ready")
    alone = await rows(db, "claim", claim_arguments())
    await db.execute("update deliveries set state = 'ready'")
    await seed(database_url, 10_000, _LONG, "sms", 86_400, "waiting")
    await seed(database_url, 100_000, _LONG, "sms", 3600, "behind")
    await seed(database_url, 200_000, _LONG, "email", 0, "ready")
    await db.execute("analyze deliveries")
    crowded = await rows(db, "claim", claim_arguments())
    assert crowded < alone + 500
    await rows(db, "claim", claim_arguments())
    idle = await rows(db, "claim", claim_arguments())
    assert idle < 50


async def test_a_plan_made_for_an_empty_queue_holds_for_a_long_one(db: Database, database_url: str) -> None:
    """A claim that was planned while the queue was empty does not read all of it once it has filled."""
    await db.execute("vacuum analyze deliveries")
    async with measured(db, "claim") as run:
        await run(claim_arguments())
        await seed(database_url, 1, _LONG, "sms", 0, "ready")
        assert await db.fetchval("select pg_relation_size('deliveries') / 8192") > 500
        assert await run(claim_arguments()) < 64 * 100


async def test_looking_for_what_is_due_costs_the_same_at_any_length(db: Database, database_url: str) -> None:
    """Ripening and taking back look at the beginning of an index and stop."""
    await seed(database_url, 1, _LONG, "sms", 86_400, "waiting")
    await seed(database_url, 100_000, _LONG, "sms", 60, "claimed")
    assert await rows(db, "ripen", "1000") < 50
    assert await rows(db, "take_back", "1000") < 50


async def test_the_overview_of_a_long_queue_is_cheap(db: Database, database_url: str) -> None:
    """Depths are counted up to a bound."""
    await seed(database_url, 1, _LONG, "sms", 0, "ready")
    await db.execute("vacuum deliveries")
    depths = {depth.channel: depth.ready for depth in await overview.queues(db)}
    assert depths == {"sms": overview.COUNTED_UP_TO, "mms": 0, "email": 0}


async def test_the_planner_is_told_of_tables_that_it_has_never_seen_filled(db: Database) -> None:
    """The first message of a fresh database is enough: later plans do not rest on a guess."""
    unseen = "select reltuples < 0 from pg_class where relname = 'messages'"
    await statistics.introduce(db)
    assert await db.fetchval(unseen)  # nothing to be seen yet
    await enqueue(db, [outbound()])
    await statistics.introduce(db)
    assert not await db.fetchval(unseen)
