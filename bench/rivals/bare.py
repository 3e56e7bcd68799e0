"""No queue, no database: a loop that posts as fast as it can, and throws away what is reported."""

import asyncio
import time
from itertools import count

import uvloop

from bench.rivals.call import CONCURRENCY, Call, calling, given, say

_PATIENCE_SECONDS = 120
_THANKS = b"HTTP/1.1 204 No Content\r\n\r\n"


class Sink(asyncio.Protocol):
    """Thanks for every report without reading it."""

    heard = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        reports = data.count(b"POST /")
        Sink.heard += reports
        self._transport.write(_THANKS * reports)


async def run(jobs: int, simulator: str, reports: int) -> None:
    """Post so many messages, and wait until all is reported."""
    numbers = count()
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    async with server, calling(simulator, server.sockets[0].getsockname()[1]) as call:
        await _heard(reports * CONCURRENCY)  # of the calls that opened the connections
        began = time.perf_counter()
        await asyncio.gather(*(_post(call, numbers, jobs) for _ in range(CONCURRENCY)))
        await _heard(reports * (CONCURRENCY + jobs))
        say(jobs, time.perf_counter() - began)


async def _heard(reports: int) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while Sink.heard < reports:  # noqa: ASYNC110 - a count rings no bell
            await asyncio.sleep(0.01)


async def _post(call: Call, numbers: "count[int]", jobs: int) -> None:
    while (number := next(numbers)) < jobs:
        await call.deliver(number)


if __name__ == "__main__":
    asked = given()
    uvloop.run(run(asked.jobs, asked.simulator, asked.reports))
