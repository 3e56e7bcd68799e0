"""Connections: lent to one at a time, used again when they are sound, and never when something was broken off."""

import asyncio
import time

import asyncpg
import pytest

from parley.core.errors import DatabaseAway
from parley.db import pool
from parley.db.pool import Database, open_database

_PID = "select pg_backend_pid()"


async def _sessions(url: str) -> int:
    """How many sessions of the pools under test the server has."""
    other = await asyncpg.connect(url)
    try:
        return int(
            await other.fetchval("select count(*) from pg_stat_activity where application_name = 'test pool'")
        )
    finally:
        await other.close()


async def test_nothing_is_opened_before_it_is_needed_and_one_after_the_other_share_it(
    database_url: str,
) -> None:
    """Who does not ask does not connect, and a second statement finds the first one's connection."""
    async with open_database(database_url, 4, "test pool") as db:
        assert await _sessions(database_url) == 0
        assert await db.fetchval(_PID) == await db.fetchval(_PID)
        assert await _sessions(database_url) == 1


async def test_no_more_than_so_many_at_once(database_url: str) -> None:
    """Twenty who come at once wait for each other, and all are served by two connections."""
    async with open_database(database_url, 2, "test pool") as db:
        ask = f"{_PID} from pg_sleep(0.02)"
        assert len(set(await asyncio.gather(*(db.fetchval(ask) for _ in range(20))))) == 2


async def test_who_waits_too_long_for_a_connection_hears_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that is used up is like a database that is away; the place is not lost by it."""
    monkeypatch.setattr(pool, "_CONNECT_SECONDS", 0.1)
    async with open_database(database_url, 1, "test pool") as db:
        async with db.connection():
            with pytest.raises(DatabaseAway):
                await db.fetchval("select 1")
        assert await db.fetchval("select 1") == 1


async def test_what_was_broken_off_is_not_lent_again(database_url: str) -> None:
    """Of a statement that nobody waits for any more, the server is told, and its connection is gone."""
    async with open_database(database_url, 1, "test pool") as db:
        before = await db.fetchval(_PID)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(db.fetchval("select pg_sleep(60)"), 0.1)
        assert await db.fetchval(_PID) != before
        end = time.monotonic() + 10
        while await _sessions(database_url) > 1:
            assert time.monotonic() < end, "the broken off statement still runs"
            await asyncio.sleep(0.05)


async def test_a_refused_statement_costs_no_connection(database_url: str) -> None:
    """An error of a statement is no fault of its connection."""
    async with open_database(database_url, 1, "test pool") as db:
        before = await db.fetchval(_PID)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await db.fetchval("select 1 / 0")
        assert await db.fetchval(_PID) == before


async def test_a_transaction_that_was_left_open_is_not_lent_on(database_url: str) -> None:
    """The next one would write into it, and never commit."""
    async with open_database(database_url, 1, "test pool") as db:
        async with db.connection() as connection:
            await connection.execute("begin")
            before = connection.get_server_pid()
        assert await db.fetchval(_PID) != before


async def test_connections_that_the_server_ended_are_replaced(database_url: str) -> None:
    """After a restart of the server the first who asks may hear that it was away, but nobody after him."""
    async with open_database(database_url, 3, "test pool") as db:
        gone = set(await asyncio.gather(*(db.fetchval(f"{_PID} from pg_sleep(0.05)") for _ in range(3))))
        other = await asyncpg.connect(database_url)
        for pid in gone:
            await other.execute("select pg_terminate_backend($1, 5000)", pid)
        await other.close()
        await asyncio.sleep(0.05)
        assert await db.fetchval(_PID) not in gone


async def test_a_connection_that_was_silent_for_long_is_not_trusted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies between us and the database may have forgotten it."""
    monkeypatch.setattr(pool, "_LONGEST_REST_SECONDS", 0.05)
    async with open_database(database_url, 1, "test pool") as db:
        before = await db.fetchval(_PID)
        await asyncio.sleep(0.1)
        assert await db.fetchval(_PID) != before


async def test_closing_leaves_no_session_behind(database_url: str) -> None:
    """Neither those that rest nor one that is still in use."""

    async def use(db: Database) -> None:
        async with db.connection() as connection:
            lent.set()
            await done.wait()
            await connection.fetchval("select 1")

    lent, done = asyncio.Event(), asyncio.Event()
    async with open_database(database_url, 4, "test pool") as db:
        user = asyncio.create_task(use(db))
        await lent.wait()
        await db.fetchval("select 1")
    done.set()
    await user
    end = time.monotonic() + 10
    while await _sessions(database_url):
        assert time.monotonic() < end, "a session is left"
        await asyncio.sleep(0.05)
