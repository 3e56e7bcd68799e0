"""The feed's promise: a reader sees every event exactly once."""

import asyncio

import asyncpg
import pytest

from parley.core.errors import Invalid
from parley.db.migrate import migrate
from parley.db.pool import Database
from parley.feed.read import BEGINNING, Position, after, newest
from parley.messages.store import store
from tests.drafts import inbound


async def test_a_reader_sees_every_event_once_while_writers_commit_out_of_order(db: Database) -> None:
    """Numbers are drawn before the commit, so a reader must not go past a writer who is still at work."""
    seen: list[str] = []

    async def follow() -> None:
        position = BEGINNING
        while len(seen) < 6 * 30:
            events = await after(db, 1, position, 7)
            seen.extend(str(event.message_id) for event in events)
            if events:
                position = Position.parse(events[-1].id)

    async def write(writer: int) -> list[str]:
        drafts = [inbound(None, sender=f"+1804555{writer:04d}") for _ in range(30)]
        for start in range(0, 30, writer % 5 + 1):
            await store(db, drafts[start : start + writer % 5 + 1])
        return [draft.id for draft in drafts]

    reader = asyncio.create_task(follow())
    written = await asyncio.gather(*(write(writer) for writer in range(6)))
    await asyncio.wait_for(reader, 30)
    assert await after(db, 1, await newest(db, 1), 10) == []
    assert sorted(seen) == sorted(id for ids in written for id in ids)


async def test_a_slow_writer_holds_the_feed_back_instead_of_being_skipped(
    db: Database, database_url: str
) -> None:
    """An event that was numbered earlier but commits later is still seen."""
    slow = await asyncpg.connect(database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("insert into events (account_id, kind) values (1, 'slow')")
    await store(db, [inbound("m1")])
    assert await after(db, 1, BEGINNING, 10) == []
    await transaction.commit()
    await slow.close()
    assert [event.type for event in await after(db, 1, BEGINNING, 10)] == ["slow", "message.created"]


async def test_a_long_transaction_in_another_database_does_not_hold_the_feed_back(
    db: Database, server: str
) -> None:
    """The cluster's transaction counter is shared, the feed is not."""
    elsewhere = await asyncpg.connect(server)
    transaction = elsewhere.transaction()
    await transaction.start()
    await elsewhere.execute("select pg_current_xact_id()")
    await store(db, [inbound("m1")])
    assert len(await after(db, 1, BEGINNING, 10)) == 1
    await transaction.rollback()
    await elsewhere.close()


async def test_the_order_is_that_of_numbers(db: Database) -> None:
    """A transaction number that gains a digit follows the one before; as texts they would stand the other way."""
    await db.execute(
        "insert into events (account_id, xid, kind) values (1, '8', 'a'), (1, '9', 'b'), (1, '10', 'c'), (1, '11', 'd')"
    )
    first = await after(db, 1, BEGINNING, 3)
    assert [event.type for event in first] == ["a", "b", "c"]
    assert [event.type for event in await after(db, 1, Position.parse(first[-1].id), 3)] == ["d"]


async def test_the_newest_position_has_nothing_after_it(db: Database) -> None:
    """A reader who begins at the end sees only what comes."""
    await store(db, [inbound("m1")])
    end = await newest(db, 1)
    assert await after(db, 1, end, 10) == []
    await store(db, [inbound("m2")])
    assert len(await after(db, 1, end, 10)) == 1


async def test_events_from_before_a_restore_stay_readable(db: Database, database_url: str) -> None:
    """In a new cluster the old transactions' numbers lie in the future; they become the past at the start."""
    await store(db, [inbound("m1")])
    await db.execute("update events set xid = '900000000000'")
    assert await after(db, 1, BEGINNING, 10) == []
    await migrate(database_url)
    await store(db, [inbound("m2")])
    assert len(await after(db, 1, BEGINNING, 10)) == 2


@pytest.mark.parametrize("text", ["", "1", "-1-2", "1-2-3", "x-y", "9" * 30 + "-1", "1e3-1"])
def test_a_position_that_we_never_gave_out_is_refused(text: str) -> None:
    """Positions come from outside."""
    with pytest.raises(Invalid):
        Position.parse(text)
