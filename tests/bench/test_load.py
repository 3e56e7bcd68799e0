"""A loaded database is like one that grew."""

from datetime import UTC, datetime

import pytest

from bench.load import load
from bench.past import Size
from parley.conversations.read import Filter, latest
from parley.conversations.search import Search
from parley.core.page import Window
from parley.db.pool import Database
from parley.messages.store import store
from tests.drafts import inbound

_SCHEMA = """
select indexdef from pg_indexes where schemaname = 'public'
union all
select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid <> 0
order by 1
"""


@pytest.mark.parametrize("searchable", [False, True])
async def test_what_is_loaded_fits_together(searchable: bool, db: Database, database_url: str) -> None:
    """Counters, threads and times agree, indexes and keys are there again, and life goes on after it."""
    before = await db.fetch(_SCHEMA)
    await store(db, [inbound("m1")])
    await load(database_url, Size(messages=3000, conversations=300), searchable=searchable)
    assert await db.fetchval("select count(*) from messages") == 3001
    assert await db.fetchval("select conversations from accounts") == 301
    assert await db.fetch(
        """
        select c.id
        from conversations c
        left join lateral (
            select count(*) as count, max(m.occurred_at) as last_at, array_agg(distinct m.channel order by m.channel) as used
            from messages m
            where m.account_id = c.account_id and m.conversation_id = c.id
        ) m on true
        join threads t on t.account_id = c.account_id and t.key = c.key
        where c.message_count <> m.count or c.channels <> m.used or t.conversation_id <> c.id
            or (c.id > 1 and c.last_activity_at <> m.last_at)
        """
    ) == []  # fmt: skip
    assert await db.fetch(_SCHEMA) == before
    await store(db, [inbound("m2", now=datetime.now(UTC))])
    page = await latest(db, 1, Window(10), 64)
    assert page.total == 301
    assert page.items[0].id == "1"


async def test_what_is_loaded_can_be_found(db: Database, database_url: str) -> None:
    """As if the follower had taken it."""
    await load(database_url, Size(messages=2000, conversations=100), searchable=True)
    assert await db.fetchval("select count(*) from message_words") == 2000
    assert await db.fetchval("select count(*) from conversation_words") == 100
    assert len((await Search(db, 64).find(1, "hello", Filter(), 50)).items) == 50
