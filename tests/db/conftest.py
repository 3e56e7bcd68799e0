"""Embedded servers that are stopped after the test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.db.embedded import Server
from tests.db.servers import BINARIES, QUICK, Start


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers and stops them after the test."""
    servers: list[Server] = []

    async def started(data_dir: Path) -> Server:
        servers.append(Server(data_dir, BINARIES, QUICK))
        await servers[-1].start()
        return servers[-1]

    yield started
    for server in servers:
        await server.stop()
