"""Serves a simulation on one port, and its SMTP sink on another if asked to."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from parley.cork import CorkedProtocol
from parley.simulators.app import build
from parley.simulators.config import Simulation
from parley.simulators.smtp import listening
from parley.simulators.wire import ABORT

Where = socket.socket | int
"""A listening place: a bound socket, or a port on 127.0.0.1."""


class _Protocol(CorkedProtocol):
    """Gives every request the means to cut its connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.update({ABORT: self.transport.abort})  # type: ignore[misc]


class _Server(uvicorn.Server):
    """A server that is stopped by cancelling it, and then does not wait for requests that are held."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)


async def serve(where: Where, config: Simulation, smtp: Where | None = None) -> None:
    """Serve until cancelled."""
    app = build(config)
    settings = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=2048,
    )
    server = _Server(settings)
    serving = asyncio.create_task(server.serve(sockets=[_bound(where)]))
    async with contextlib.AsyncExitStack() as stack:
        if smtp is not None:
            await stack.enter_async_context(listening(app.state.world, _bound(smtp)))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


def _bound(where: Where) -> socket.socket:
    if isinstance(where, socket.socket):
        return where
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", where))
    return bound
