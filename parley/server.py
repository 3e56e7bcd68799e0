"""The HTTP server of a process, and how the process is set for serving."""

import asyncio
import gc
import resource
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from parley.api.protocol import Protocol

_DRAIN_SECONDS = 2


class Server(uvicorn.Server):
    """Says that it is leaving before it waits for what is under way, for event streams would never end."""

    def __init__(self, app: ASGIApp, leaving: asyncio.Event) -> None:
        config = uvicorn.Config(
            app,
            http=Protocol,
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=2048,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        super().__init__(config)
        self._leaving = leaving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leaving.set()
        await super().shutdown(sockets)


def calm_collector() -> None:
    """A request leaves hardly a cycle behind, but every request's objects bring the next collection nearer.

    With Python's thresholds a sixth of a busy process's time goes into collections that find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def open_files() -> None:
    """Every page that is open holds a connection; the usual thousand of open files would soon be used up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # as where "without limit" is the limit, but may not be asked for
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
