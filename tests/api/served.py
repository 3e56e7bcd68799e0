"""The service's HTTP side in this process, on a free port, stopped as a signal would stop it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

from parley.runtime import application
from parley.server import Server
from parley.settings import Settings


class _Unsignalled(Server):
    """Leaves the signals to whoever runs the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(settings: Settings, *, unread_millis: int = 0) -> AsyncIterator[str]:
    """Lend the address of the service; what a client does not read for `unread_millis` ends its connection."""
    listening = socket.socket(proto=socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    if unread_millis:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_millis)
    listening.listen(2048)
    leaving = asyncio.Event()
    async with application(settings, leaving) as app:
        server = _Unsignalled(app, leaving)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
