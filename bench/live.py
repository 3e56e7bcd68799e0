"""Live: how long after a webhook is posted its event has reached every open stream."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from bench import traffic
from bench.accept import PATHS, PROCESSES
from bench.meter import Meter
from bench.plan import Plan
from bench.programs import Yard
from bench.stage import Stage
from bench.wrk import BenchError

STREAMS = (1, 100, 1000)
_ASK = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
_ID = re.compile(rb'"message_id":"([0-9a-f-]{36})"')
_OPENED = b"retry:"
_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 10.0


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """From the first byte of the webhook to the event on a stream, over all streams."""

    round: int
    streams: int
    p50_ms: float
    p99_ms: float


class _Stream(asyncio.Protocol):
    """Notes when which message's event came."""

    def __init__(self, opened: asyncio.Semaphore) -> None:
        self.seen: dict[bytes, float] = {}
        self._opened = opened

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if _OPENED in data:
            self._opened.release()
        for message_id in _ID.findall(data):
            self.seen.setdefault(message_id, now)


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Delay]:
    """Post a webhook every now and then while so many streams are open."""
    delays = []
    url = await stage.database("live")
    await traffic.open_conversations(url)
    async with Yard(stage.folder / "live", url).web(PROCESSES) as web:
        for number in range(1, plan.rounds + 1):
            for count in STREAMS:
                with meter.step(f"live: {count} streams", _seconds(plan)):
                    delays.append(await _delay(web.url, number, count, plan.posts))
    return delays


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    return plan.rounds * len(STREAMS) * _seconds(plan)


def _seconds(plan: Plan) -> float:
    return plan.posts * _PAUSE_SECONDS + 1


async def _delay(url: str, number: int, count: int, posts: int) -> Delay:
    async with _streams(url, count) as streams, aiohttp.ClientSession() as http:
        posted = {}
        for _ in range(posts):
            began = time.perf_counter()
            posted[await _post(http, url)] = began
            await asyncio.sleep(_PAUSE_SECONDS)
        until = time.monotonic() + _PATIENCE_SECONDS
        while not all(posted.keys() <= stream.seen.keys() for stream in streams):
            if time.monotonic() > until:
                raise BenchError(f"an event did not reach each of {count} streams")
            await asyncio.sleep(_PAUSE_SECONDS)
    took = sorted((stream.seen[id] - began) * 1e3 for stream in streams for id, began in posted.items())
    return Delay(round=number, streams=count, p50_ms=took[len(took) // 2], p99_ms=took[len(took) * 99 // 100])


async def _post(http: aiohttp.ClientSession, url: str) -> bytes:
    event = {"from": traffic.customer(1), "to": traffic.BUSINESS, "type": "sms", "body": traffic.TEXT}
    async with http.post(url + PATHS["ingest"], json=event) as answer:
        answer.raise_for_status()
        accepted = await answer.json()
    return str(accepted["message_id"]).encode()


@asynccontextmanager
async def _streams(url: str, count: int) -> AsyncIterator[list[_Stream]]:
    loop, opened = asyncio.get_running_loop(), asyncio.Semaphore(0)
    port = int(url.rpartition(":")[2])
    transports = []
    streams = []
    try:
        for _ in range(count):
            transport, stream = await loop.create_connection(lambda: _Stream(opened), "127.0.0.1", port)
            transport.write(_ASK)
            transports.append(transport)
            streams.append(stream)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for _ in streams:
                await opened.acquire()
        yield streams
    finally:
        for transport in transports:
            transport.abort()
