"""Connections: the last one at hand, no more than there may be, and nothing left under way on any."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest

from parley.core.errors import DatabaseAway
from parley.db import pool
from parley.db.pool import Database, open_database

_PID = "select pg_backend_pid()"
_SESSIONS = "select count(*) from pg_stat_activity where application_name = 'test pool'"
_BUSY = f"{_SESSIONS} and state = 'active'"


async def _soon(asked: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + 20
    while not await asked():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)


async def _count(url: str, statement: str) -> int:
    other = await asyncpg.connect(url)
    try:
        return int(await other.fetchval(statement))
    finally:
        await other.close()


async def test_nothing_is_opened_before_it_is_needed(database_url: str) -> None:
    """Who does not ask does not connect; one statement after the other goes over the same connection."""
    async with open_database(database_url, 4, "test pool") as db:
        assert await _count(database_url, _SESSIONS) == 0
        assert len({await db.fetchval(_PID) for _ in range(20)}) == 1
        assert await _count(database_url, _SESSIONS) == 1


@pytest.mark.parametrize("size", [1, 2])
async def test_no_more_than_so_many_at_once(database_url: str, size: int) -> None:
    """Those who come at once wait for each other, and nobody for a connection that is kept at hand."""
    async with open_database(database_url, size, "test pool") as db:
        for _ in range(3):
            await db.fetchval("select 1")
            ask = f"{_PID} from pg_sleep(0.01)"
            assert len(set(await asyncio.gather(*(db.fetchval(ask) for _ in range(20))))) <= size


async def test_who_waits_too_long_for_a_connection_hears_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that is used up is like a database that is away; nothing is lost by it."""
    async with open_database(database_url, 1, "test pool") as db:
        async with db.connection():
            monkeypatch.setattr(pool, "_CONNECT_SECONDS", 0.1)
            with pytest.raises(DatabaseAway):
                await db.fetchval("select 1")
        assert await db.fetchval("select 1") == 1


@pytest.mark.parametrize("cancellations", [1, 2])
async def test_what_was_broken_off_is_cancelled_at_the_server(database_url: str, cancellations: int) -> None:
    """However impatient those are who broke it off."""
    async with open_database(database_url, 4, "test pool") as db:
        asking = [asyncio.create_task(db.execute("select pg_sleep(60)")) for _ in range(4)]
        await _soon(lambda: _is(database_url, _BUSY, 4))
        for _ in range(cancellations):
            for task in asking:
                task.cancel()
            await asyncio.sleep(0)
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(one) for one in ended} == {asyncio.CancelledError}
        await _soon(lambda: _is(database_url, _BUSY, 0))
        assert await db.fetchval("select 1") == 1


async def _is(url: str, statement: str, count: int) -> bool:
    return await _count(url, statement) == count


async def test_a_transaction_that_was_left_open_is_not_lent_on(database_url: str) -> None:
    """The next one would write into it, and never commit."""
    async with open_database(database_url, 1, "test pool") as db:
        async with db.connection() as connection:
            await connection.execute("begin")
        async with db.connection() as connection:
            assert not connection.is_in_transaction()


async def test_what_is_broken_off_inside_a_block_meets_nobody_else(database_url: str) -> None:
    """Even who swallows his own timeout, with a BEGIN under way, leaves no transaction to the next one."""
    async with open_database(database_url, 1, "test pool") as db:
        await db.execute("create table told (n int)")
        for n in range(30):
            async with db.connection() as connection:
                with suppress(TimeoutError):
                    await asyncio.wait_for(connection.execute("begin"), n * 0.00002)
            await db.execute("insert into told values ($1)", n)
        assert await db.fetchval("select count(*) from told") == 30


async def test_connections_that_the_server_has_ended_are_replaced(database_url: str) -> None:
    """The one at hand like the others."""
    async with open_database(database_url, 3, "test pool") as db:
        gone = set(await asyncio.gather(*(db.fetchval(f"{_PID} from pg_sleep(0.05)") for _ in range(3))))
        other = await asyncpg.connect(database_url)
        for pid in gone:
            await other.execute("select pg_terminate_backend($1, 5000)", pid)
        await other.close()
        with suppress(DatabaseAway):
            await db.fetchval("select 1")  # who is the first may be the one to find out
        pids = await asyncio.gather(*(db.fetchval(f"{_PID} from pg_sleep(0.05)") for _ in range(3)))
        assert len(set(pids) - gone) == 3


async def test_a_connection_that_was_silent_for_long_is_not_trusted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies between us and the database may have forgotten it."""
    monkeypatch.setattr(pool, "_LONGEST_REST_SECONDS", 0.05)
    async with open_database(database_url, 1, "test pool") as db:
        before = await db.fetchval(_PID)
        await asyncio.sleep(0.1)
        assert await db.fetchval(_PID) != before
        await _soon(lambda: _is(database_url, _SESSIONS, 1))


async def test_closing_waits_for_what_is_lent_and_leaves_no_session_behind(database_url: str) -> None:
    """Neither the one at hand nor one whose user is about to end."""

    async def use(db: Database) -> int:
        async with db.connection() as connection:
            lent.set()
            return int(await connection.fetchval("select 1 from pg_sleep(0.3)"))

    lent = asyncio.Event()
    async with open_database(database_url, 4, "test pool") as db:
        user = asyncio.create_task(use(db))
        await lent.wait()
        await db.fetchval("select 1")
    assert await user == 1
    await _soon(lambda: _is(database_url, _SESSIONS, 0))


async def test_a_failing_rollback_does_not_hide_a_cancellation(database_url: str) -> None:
    """A task that is told to stop while the database goes away stops, and does not try again."""

    async def work(db: Database) -> None:
        async with db.connection() as connection, connection.transaction():
            inside.set()
            try:
                await asyncio.Event().wait()
            finally:
                connection.terminate()

    inside = asyncio.Event()
    async with open_database(database_url, 1, "test pool") as db:
        working = asyncio.create_task(work(db))
        await inside.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work(db), 0.1)
        assert await db.fetchval("select 1") == 1


async def test_a_cancellation_of_before_is_no_reason_to_end(database_url: str) -> None:
    """Who was cancelled, and goes on, hears of an outage as everybody does."""

    async def work(db: Database) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            async with db.connection() as connection, connection.transaction():
                connection.terminate()

    async with open_database(database_url, 1, "test pool") as db:
        working = asyncio.create_task(work(db))
        await asyncio.sleep(0)
        working.cancel()
        with pytest.raises(DatabaseAway):
            await working
