"""The feed over HTTP: nothing missed, nothing doubled, whatever breaks; and a thousand open pages cost nothing."""

import asyncio
import re
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from parley import metrics
from parley.db.pool import Database
from parley.messages.store import store
from parley.server import open_files
from parley.settings import Settings
from tests.api.served import served
from tests.drafts import inbound, outbound

_ID = re.compile(rb"^id: (\S+)$", re.MULTILINE)
_MESSAGE = re.compile(rb'"message_id":"([^"]+)"')
_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
async def url(settings: Settings) -> AsyncIterator[str]:
    """A service on a fresh database."""
    async with served(settings) as address:
        yield f"{address}/api/events"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without limits of its own."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def _until(answer: aiohttp.ClientResponse, enough: Callable[[bytes], bool]) -> bytes:
    """Read a stream until there is enough of it."""
    heard = b""
    async with asyncio.timeout(30):
        async for piece in answer.content.iter_any():
            heard += piece
            if enough(heard):
                break
    return heard


def _of(count: int) -> Callable[[bytes], bool]:
    return lambda heard: len(_MESSAGE.findall(heard)) >= count


async def test_a_page_goes_on_where_the_one_before_ended(
    url: str, http: aiohttp.ClientSession, db: Database
) -> None:
    """Programs read the feed page by page, with the same cursor as the stream."""
    drafts = [inbound(f"m{n}") for n in range(5)]
    await store(db, drafts)
    seen, after = [], None
    for _ in range(4):
        async with http.get(url, params={"limit": 2, **({"after": after} if after else {})}) as answer:
            assert answer.status == 200
            page = await answer.json()
        seen += [event["message_id"] for event in page["items"]]
        after = page["next"]
        assert page["reset"] is False
    assert seen == [draft.id for draft in drafts]
    assert page["items"] == []
    assert {"type", "at", "conversation_id", "status"} <= (await _page(http, url))["items"][0].keys()


async def _page(http: aiohttp.ClientSession, url: str, **params: str) -> "dict[str, list[dict[str, str]]]":
    async with http.get(url, params=params) as answer:
        return await answer.json()  # type: ignore[no-any-return]


async def test_a_message_is_in_every_open_stream_within_a_second(
    url: str, http: aiohttp.ClientSession
) -> None:
    """From the request that brings it to two pages that are open."""
    async with http.get(url, headers=_STREAM) as one, http.get(url, headers=_STREAM) as other:
        assert one.headers["Content-Type"].startswith("text/event-stream")
        assert one.headers["Cache-Control"] == "no-store"
        assert (await one.content.readline()).startswith(b"retry: ")
        assert (await other.content.readline()).startswith(b"retry: ")
        body = {"from": "+12016661234", "to": "+18045551234", "type": "sms", "body": "Hello"}
        took = []
        for _ in range(3):
            began = time.monotonic()
            async with http.post(url.replace("events", "messages/sms"), json=body) as answer:
                message_id = (await answer.json())["message_id"]
            for stream in (one, other):
                heard = await _until(stream, _of(1))
                assert _MESSAGE.findall(heard) == [message_id.encode()]
                assert b"event: message.created\n" in heard
            took.append(time.monotonic() - began)
        assert min(took) < 1


async def test_a_broken_stream_goes_on_without_loss_or_doubling(
    url: str, http: aiohttp.ClientSession, db: Database
) -> None:
    """Clients break off at any place and come back with the last id, while writers commit out of order."""
    total = 4 * 60

    async def write(writer: int) -> list[str]:
        drafts = [inbound(None, sender=f"+1804555{writer:04d}") for _ in range(60)]
        for start in range(0, 60, writer + 1):
            await store(db, drafts[start : start + writer + 1])
        return [draft.id for draft in drafts]

    async def follow(patience: int) -> list[str]:
        seen: list[str] = []
        last = "0-0"
        while len(seen) < total:
            # The address keeps the position of the first visit, as a browser's does.
            async with http.get(f"{url}?after=0-0", headers={**_STREAM, "Last-Event-ID": last}) as answer:
                heard = await _until(answer, _of(min(patience, total - len(seen))))
            whole = heard[: heard.rindex(b"\n\n") + 2]  # the piece that was cut off comes again
            seen += [id.decode() for id in _MESSAGE.findall(whole)]
            last = _ID.findall(whole)[-1].decode()
        return seen

    followers = [asyncio.create_task(follow(patience)) for patience in (1, 9, 100)]
    written = await asyncio.gather(*(write(writer) for writer in range(4)))
    expected = sorted(id for ids in written for id in ids)
    for seen in await asyncio.gather(*followers):
        assert sorted(seen) == expected


async def test_a_client_knows_its_place_before_anything_happened(
    url: str, http: aiohttp.ClientSession, db: Database
) -> None:
    """Else what happens while its first connection is broken would be lost to it."""
    await store(db, [inbound("before")])
    async with http.get(url, headers=_STREAM) as answer:
        heard = await _until(answer, lambda heard: b"\n\n" in heard)
    place = _ID.findall(heard)[0].decode()
    draft = inbound("meanwhile")
    await store(db, [draft])
    async with http.get(url, headers={**_STREAM, "Last-Event-ID": place}) as answer:
        assert _MESSAGE.findall(await _until(answer, _of(1))) == [draft.id.encode()]


@pytest.mark.parametrize("lost", ["900000000000-1", "3-1"])
async def test_who_cannot_be_told_what_he_missed_begins_anew(
    url: str, http: aiohttp.ClientSession, db: Database, lost: str
) -> None:
    """A position of another life of the database, or from before everything that is still kept."""
    await store(db, [inbound("m1")])
    newest = (await _page(http, url))["next"]
    page = await _page(http, url, after=lost)
    assert page == {"items": [], "next": newest, "reset": True}
    async with http.get(url, headers={**_STREAM, "Last-Event-ID": lost}) as answer:
        heard = await _until(answer, lambda heard: b"\n\n" in heard)
        assert b"\nevent: reset\n" in heard
        assert _ID.findall(heard) == [str(newest).encode()]
        draft = inbound("m2")
        await store(db, [draft])
        assert _MESSAGE.findall(await _until(answer, _of(1))) == [draft.id.encode()]


@pytest.mark.parametrize(
    "position", ["x", "1", "-", "1-2-3", "9" * 40 + "-1", "1-1\u00b2", "'; drop table events; --"]
)
async def test_a_position_that_is_none_is_refused(
    url: str, http: aiohttp.ClientSession, position: str
) -> None:
    """Positions come from outside."""
    for headers in ({}, _STREAM):
        async with http.get(url, params={"after": position}, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["details"][0]["field"] == "after"


async def test_the_client_chooses_between_page_and_stream(url: str, http: aiohttp.ClientSession) -> None:
    """By Accept; and a look at the head of a stream ends."""
    for accept, expected in (
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/event-stream, */*;q=0.1", "text/event-stream"),
        ("text/*", "text/event-stream"),
    ):
        async with http.head(url, headers={"Accept": accept}) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith(expected)
    async with http.get(url, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 406


async def test_a_stream_is_not_counted_as_a_slow_request(
    url: str, http: aiohttp.ClientSession, db: Database
) -> None:
    """An hour of listening must not spoil the figures of how fast we answer."""

    def observed() -> float:
        return sum(
            sample.value
            for metric in metrics.REQUESTS.collect()
            for sample in metric.samples
            if sample.name.endswith("_count") and sample.labels["route"] == "/api/events"
        )

    before = observed()
    async with http.get(url, headers=_STREAM) as answer:
        await answer.content.readline()
        assert metrics.STREAMS._value.get() == 1
    async with http.get(url) as answer:
        assert answer.status == 200
    async with asyncio.timeout(10):
        while metrics.STREAMS._value.get():
            await asyncio.sleep(0.01)
    assert observed() == before + 1


async def test_a_thousand_idle_streams_cost_neither_connections_nor_time(
    settings: Settings, http: aiohttp.ClientSession, db: Database, database_url: str
) -> None:
    """They share one listener and one reader, and wake for nothing but news."""
    open_files()
    async with served(settings) as address:
        url = f"{address}/api/events"
        streams: list[aiohttp.ClientResponse] = []
        for _ in range(10):
            streams += await asyncio.gather(*(http.get(url, headers=_STREAM) for _ in range(100)))
        assert {stream.status for stream in streams} == {200}
        await asyncio.gather(*(stream.content.readuntil(b"\n\n") for stream in streams))
        spent, began = _processor(), time.monotonic()
        await asyncio.sleep(1.0)
        share = (_processor() - spent) / (time.monotonic() - began)
        assert share < 0.1
        connections = await db.fetch(
            "select application_name from pg_stat_activity where datname = current_database()"
        )
        ours = [row["application_name"] for row in connections if row["application_name"] != "parley test"]
        assert len(ours) <= settings.database_pool + 1
        await store(db, [outbound()])
        heard = await asyncio.gather(*(_until(stream, _of(1)) for stream in streams))
        assert {len(_MESSAGE.findall(one)) for one in heard} == {1}
        for stream in streams:
            stream.close()


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def test_leaving_does_not_wait_for_streams(settings: Settings, http: aiohttp.ClientSession) -> None:
    """A browser's stream would never end by itself."""
    async with served(settings) as address:
        streams = [await http.get(f"{address}/api/events", headers=_STREAM) for _ in range(20)]
        for stream in streams:
            await stream.content.readuntil(b"\n\n")
    for stream in streams:
        assert await stream.read() == b""  # which fails if it was cut off instead of ended


async def test_who_does_not_read_is_cut_off(settings: Settings, db: Database) -> None:
    """A client that takes nothing holds a little memory for a little while."""
    async with served(settings, unread_millis=1500) as address:
        parts = urlsplit(address)
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (parts.hostname, parts.port))
        request = b"GET /api/events?after=0-0 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
        await loop.sock_sendall(deaf, request)
        await db.execute(
            "insert into events (account_id, kind) select 1, 'flood' from generate_series(1, 40000)"
        )
        async with asyncio.timeout(10):
            while metrics.STREAMS._value.get() == 0:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(30):
            while metrics.STREAMS._value.get():
                await asyncio.sleep(0.05)
        deaf.close()


async def test_a_stream_outlives_the_database(
    settings: Settings, http: aiohttp.ClientSession, db: Database, server: str
) -> None:
    """It falls silent while the database is away, and goes on with what it missed."""
    async with served(settings) as address, http.get(f"{address}/api/events", headers=_STREAM) as stream:
        await stream.content.readuntil(b"\n\n")
        await store(db, [first := inbound("m1")])
        assert _MESSAGE.findall(await _until(stream, _of(1))) == [first.id.encode()]
        killer = await asyncpg.connect(server)
        name = await db.fetchval("select current_database()")
        await killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'parley %'",
            name,
        )
        await killer.close()
        async with asyncio.timeout(20):
            while True:
                try:
                    await store(db, [second := inbound("m2")])
                    break
                except Exception:
                    await asyncio.sleep(0.1)
        assert _MESSAGE.findall(await _until(stream, _of(1))) == [second.id.encode()]
