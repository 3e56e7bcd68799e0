"""The application in this process, for tests that need settings of their own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import msgspec
import uvicorn

from parley.api.protocol import Protocol
from parley.runtime import application
from parley.settings import Settings
from tests.contract.client import Api


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(settings: Settings, **changes: Any) -> AsyncIterator[Api]:
    """Lend a client of the application with these settings."""
    changed = msgspec.structs.replace(settings, **changes)
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # else asyncio would leave Nagle on
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    async with application(changed) as app, aiohttp.ClientSession() as http:
        config = uvicorn.Config(
            app, http=Protocol, lifespan="off", log_config=None, access_log=False, proxy_headers=False
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield Api(http, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            await running
