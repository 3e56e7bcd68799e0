"""What is left in a database after a stop or a crash, and what becomes of it."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg

from parley.db.embedded import Server, running
from tests.contract.invariants import invariants_hold
from tests.contract.load import Load

SETTLED_SECONDS = 120.0  # a vendor's list is believed to be complete only after half a minute


async def promises_are_kept(load: Load, data: Path) -> set[str]:
    """Look at the database before anybody works on it: every 202 is there once. Names the sends that were cut."""
    async with running(data) as url:
        database = await asyncpg.connect(url)
        there = Counter(row["id"] for row in await database.fetch("select id::text from messages"))
        assert [id for id in load.accepted() if there[id] != 1] == []
        assert len(there) <= len(load.sent)
        await invariants_hold(database)
        cut = await database.fetch("select message_id::text as id from deliveries where state = 'claimed'")
        await database.close()
    return {row["id"] for row in cut}


async def all_is_delivered(load: Load, data: Path) -> dict[str, str]:
    """Wait for the end of all deliveries; every order is there once. Names each send's channel."""
    database = await asyncpg.connect(Server(data).url)
    async with asyncio.timeout(SETTLED_SECONDS):
        while await database.fetchval("select count(*) from deliveries"):
            await asyncio.sleep(0.2)
    rows = await database.fetch("select id::text, direction, channel, body from messages")
    assert sorted(row["body"] for row in rows) == sorted(sent.key for sent in load.sent)
    await invariants_hold(database)
    await database.close()
    return {row["id"]: row["channel"] for row in rows if row["direction"] == "outbound"}
