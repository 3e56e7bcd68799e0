"""The hub's promise: every reader sees every event once, however late, slow or many; and readers cost next to nothing."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import asyncpg
import pytest

from parley.core.errors import Overloaded
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.feed import hub as hubs
from parley.feed.hub import HEARTBEAT, Hub, open_hub
from parley.feed.read import BEGINNING, Position, newest
from parley.messages.store import store
from tests.drafts import inbound

_ID = re.compile(rb"^id: (\S+)$", re.MULTILINE)
_MESSAGE = re.compile(rb'"message_id":"([^"]+)"')


@pytest.fixture
async def hub(db: Database, database_url: str) -> AsyncIterator[Hub]:
    """A hub on a fresh database."""
    async with open_hub(db, database_url, 1) as opened:
        yield opened


async def _read(hub: Hub, position: Position, enough: Callable[[bytes], bool], seconds: float = 30) -> bytes:
    """Read a stream until there is enough of it."""
    heard = b""
    async with asyncio.timeout(seconds), aclosing(hub.read(position)) as pieces:
        async for piece in pieces:
            heard += piece
            if enough(heard):
                break
    return heard


def _of(count: int) -> Callable[[bytes], bool]:
    return lambda heard: heard.count(b"\nevent: ") >= count


def _messages(heard: bytes) -> list[str]:
    return [found.decode() for found in _MESSAGE.findall(heard)]


def _last(heard: bytes) -> Position:
    return Position.parse(_ID.findall(heard)[-1].decode())


async def _fill(db: Database, count: int) -> None:
    await db.execute(
        "insert into events (account_id, kind) select 1, 'e' || n from generate_series(1, $1::int) n", count
    )


async def test_every_reader_sees_every_event_once_while_writers_commit_out_of_order(
    hub: Hub, db: Database
) -> None:
    """Readers that begin at once, that begin later, and that break off again and again."""
    total = 5 * 40
    bell = Bell(db)

    async def write(writer: int) -> list[str]:
        drafts = [inbound(None, sender=f"+1804555{writer:04d}") for _ in range(40)]
        for start in range(0, 40, writer + 1):
            await store(db, drafts[start : start + writer + 1])
            bell.ring("events")
        return [draft.id for draft in drafts]

    async def follow(patience: int) -> list[str]:
        seen: list[str] = []
        position = BEGINNING
        while len(seen) < total:
            wanted = min(patience, total - len(seen))
            heard = await _read(hub, position, _of(wanted))
            seen += _messages(heard)
            position = _last(heard)
        return seen

    readers = [asyncio.create_task(follow(patience)) for patience in (1, 7, 50, total)]
    written = await asyncio.gather(*(write(writer) for writer in range(5)))
    readers.append(asyncio.create_task(follow(33)))
    expected = sorted(id for ids in written for id in ids)
    for seen in await asyncio.gather(*readers):
        assert sorted(seen) == expected
    await bell.close()


async def test_all_readers_see_the_same_order(hub: Hub, db: Database) -> None:
    """Whether it comes from the table or from memory."""
    await _fill(db, 700)
    early = asyncio.create_task(_read(hub, BEGINNING, _of(1400)))
    async with asyncio.timeout(10):
        while hub.readers == 0:
            await asyncio.sleep(0)
    await _fill(db, 700)
    late = await _read(hub, BEGINNING, _of(1400))
    assert _ID.findall(await early) == _ID.findall(late)


async def test_a_reader_that_fell_behind_misses_nothing(hub: Hub, db: Database) -> None:
    """What memory has forgotten is still in the table."""
    kinds = re.compile(rb"^event: (e\d+)$", re.MULTILINE)
    async with asyncio.timeout(60), aclosing(hub.read(await newest(db, 1))) as slow:
        await _fill(db, 10)
        heard = await anext(slow)
        await _fill(db, 6000)
        await _read(hub, _last(heard), _of(6000), 60)  # meanwhile somebody else keeps up
        async for piece in slow:
            heard += piece
            if _of(6010)(heard):
                break
    assert len(kinds.findall(heard)) == len(set(_ID.findall(heard))) == 6010


async def test_what_an_older_transaction_held_back_comes_when_that_ends(
    hub: Hub, db: Database, database_url: str
) -> None:
    """Nobody rings for it: the hub looks again by itself."""
    holder = await asyncpg.connect(database_url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select pg_current_xact_id()")
    reading = asyncio.create_task(_read(hub, await newest(db, 1), _of(1)))
    await store(db, [inbound("m1")])
    hub.look()
    done, _ = await asyncio.wait([reading], timeout=0.3)
    assert not done
    await transaction.rollback()
    assert len(_messages(await reading)) == 1
    await holder.close()


class _Counting(Database):
    """A database that counts what it is asked."""

    def __init__(self, other: Database) -> None:
        super().__init__(other._pool)
        self.asked = 0

    async def fetch(self, statement: str, *arguments: Any) -> "list[asyncpg.Record]":
        self.asked += 1
        return await super().fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> "asyncpg.Record | None":
        self.asked += 1
        return await super().fetchrow(statement, *arguments)


async def test_many_readers_ask_no_more_than_one(db: Database, database_url: str) -> None:
    """A batch of changes is read once for all of them."""
    counting = _Counting(db)
    async with open_hub(counting, database_url, 1) as hub:
        start = await newest(db, 1)
        readers = [asyncio.create_task(_read(hub, start, _of(30))) for _ in range(300)]
        async with asyncio.timeout(10):
            while hub.readers < 300:
                await asyncio.sleep(0)
        for n in range(3):
            await store(db, [inbound(f"{n}-{m}") for m in range(10)])
            hub.look()
        heard = await asyncio.gather(*readers)
        assert {len(_messages(one)) for one in heard} == {30}
        assert counting.asked < 30


async def test_without_readers_nothing_is_asked(db: Database, database_url: str) -> None:
    """However much happens: ingest shall not pay for pages that nobody has open."""
    counting = _Counting(db)
    async with open_hub(counting, database_url, 1) as hub:
        await _fill(db, 10)
        hub.look()
        await asyncio.sleep(0.1)
        assert counting.asked == 0
        await _read(hub, BEGINNING, _of(10))
        assert counting.asked > 0


async def test_memory_is_bounded(hub: Hub, db: Database) -> None:
    """Neither a flood nor a reader who stands still makes it grow."""
    async with asyncio.timeout(60), aclosing(hub.read(await newest(db, 1))) as still:
        await _fill(db, 1)
        heard = await anext(still)
        await _fill(db, 12_000)
        await _read(hub, _last(heard), _of(12_000), 60)
        recent = hub._recent
        assert recent is not None
        assert len(recent._frames) < 2 * 2000 + 500


async def test_a_quiet_stream_has_a_heartbeat(db: Database) -> None:
    """So that proxies keep it, and both sides notice when it is gone."""
    hub = Hub(db, 1, heartbeat_seconds=0.05)
    running = asyncio.create_task(hub.run())
    assert await _read(hub, await newest(db, 1), lambda heard: heard.count(HEARTBEAT) >= 2) == 2 * HEARTBEAT
    running.cancel()


async def test_closing_ends_all_streams_at_once(hub: Hub, db: Database) -> None:
    """A process that leaves does not wait for its readers."""
    start = await newest(db, 1)
    readers = [asyncio.create_task(_read(hub, start, lambda _: False)) for _ in range(50)]
    async with asyncio.timeout(10):
        while hub.readers < 50:
            await asyncio.sleep(0)
    hub.close()
    async with asyncio.timeout(1):
        assert await asyncio.gather(*readers) == [b""] * 50
    assert hub.readers == 0


async def test_there_is_a_most_of_readers(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes then is told to come again later."""
    monkeypatch.setattr(hubs, "_MOST_READERS", 0)
    with pytest.raises(Overloaded):
        hub.read(BEGINNING)
