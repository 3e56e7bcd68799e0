"""What is derived from the feed is derived once: by one process at a time, through crashes, in any order of commits."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import pytest

from parley.db.migrate import migrate
from parley.db.pool import Connection, Database
from parley.feed.follow import Follower, Write
from parley.feed.read import Event
from parley.messages.store import store
from tests.drafts import inbound
from tests.following import catch_up
from tests.waiting import until


@pytest.fixture
async def ledger(db: Database) -> None:
    """Where these tests write down what was derived."""
    await db.execute("create table ledger (message_id uuid not null)")


async def note(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
    """Derive a line for each message."""
    return [("insert into ledger select unnest($1::uuid[])", [event.message_id for event in events])]


async def _lines(db: Database) -> list[str]:
    return [str(row["message_id"]) for row in await db.fetch("select message_id from ledger order by 1")]


@pytest.mark.usefixtures("ledger")
async def test_many_followers_take_each_event_once_while_writers_commit_out_of_order(db: Database) -> None:
    """Every worker runs one; together they do the work of one."""
    writing = True

    async def follow() -> None:
        follower = Follower(db, "test", [note])
        while True:
            done = not writing
            if not any(await follower.round()) and done:
                return

    async def write(writer: int) -> list[str]:
        drafts = [inbound(None, sender=f"+1804555{writer:04d}") for _ in range(40)]
        for start in range(0, 40, writer % 4 + 1):
            await store(db, drafts[start : start + writer % 4 + 1])
        return [draft.id for draft in drafts]

    followers = [asyncio.create_task(follow()) for _ in range(3)]
    written = await asyncio.gather(*(write(writer) for writer in range(5)))
    writing = False
    await asyncio.gather(*followers)
    assert await _lines(db) == sorted(id for ids in written for id in ids)


@pytest.mark.usefixtures("ledger")
async def test_what_breaks_half_way_is_done_again_from_where_it_was(db: Database) -> None:
    """The position moves in the transaction that writes."""
    drafts = [inbound(f"m{n}") for n in range(5)]
    await store(db, drafts)

    async def crash(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
        return [("select 1 / 0",)]

    with pytest.raises(asyncpg.DivisionByZeroError):
        await Follower(db, "test", [note, crash]).round()
    assert await _lines(db) == []
    assert await Follower(db, "test", [note]).round() == [5]
    assert await _lines(db) == sorted(draft.id for draft in drafts)
    assert await Follower(db, "test", [note]).round() == []


@pytest.mark.usefixtures("ledger")
async def test_working_things_out_holds_nobody_back(db: Database) -> None:
    """Until it writes, a follower has no transaction that the feed's readers would wait for."""
    await store(db, [inbound("m1")])
    seen: list[bool] = []

    async def look(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
        seen.append(await connection.fetchval("select pg_current_xact_id_if_assigned() is null"))
        return await note(connection, account_id, events)

    await Follower(db, "test", [look, look]).round()
    assert seen == [True, True]


async def test_after_a_restore_everything_is_taken_again_and_nothing_twice(
    db: Database, database_url: str
) -> None:
    """In a new cluster the stored position lies in the future."""
    await store(db, [inbound("m1")])
    assert await catch_up(db) == 1
    await db.execute("update events set xid = '900000000000'")
    await db.execute("update followers set xid = '900000000000'")
    await migrate(database_url)
    await store(db, [inbound("m2")])
    assert await catch_up(db) == 2
    assert await db.fetchval("select count(*) from message_words") == 2


@pytest.mark.usefixtures("ledger")
async def test_a_follower_comes_by_itself_soon_after_a_commit(db: Database, database_url: str) -> None:
    """Even where nobody rings, within the time in which it looks by itself."""
    tidied = asyncio.Event()

    async def tidy() -> None:
        tidied.set()

    running = asyncio.create_task(Follower(db, "test", [note]).run(database_url, tidy))
    try:
        await store(db, [inbound("m1")])
        await asyncio.wait_for(tidied.wait(), 10)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert len(await _lines(db)) == 1


async def test_a_follower_survives_what_it_does_not_understand(db: Database, database_url: str) -> None:
    """An error in one batch is not the end of following."""
    calls = 0

    async def broken(connection: Connection, account_id: int, events: Sequence[Event]) -> list[Write]:
        nonlocal calls
        calls += 1
        raise KeyError("what")

    await store(db, [inbound("m1")])
    running = asyncio.create_task(Follower(db, "test", [broken]).run(database_url))
    await until(lambda: calls > 1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
