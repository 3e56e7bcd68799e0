"""One started service for all contract tests, and a client of it."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from parley.db.embedded import Server
from tests.contract.client import Api
from tests.contract.service import Service, running
from tests.contract.vendors import Vendors


@pytest.fixture(scope="session")
async def service() -> AsyncIterator[Service]:
    """`parley up` with two web processes; at the end it stops in time and leaves no process."""
    with tempfile.TemporaryDirectory(prefix="parley-contract-", ignore_cleanup_errors=True) as folder:
        async with running(Service(Path(folder), API_WORKER_BACKOFF_BASE_MS="50")) as started:
            yield started


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to whatever a test talks to."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture(scope="session")
def api(service: Service, http: aiohttp.ClientSession) -> Api:
    """A client of the started service."""
    return Api(http, service.url)


@pytest.fixture(scope="session")
async def database(service: Service) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """The started service's own database, for what its API does not show."""
    connection = await asyncpg.connect(Server(Path(service.variables["DATA_DIR"])).url)
    yield connection
    await connection.close(timeout=10)


@pytest.fixture
async def vendors(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Vendors]:
    """Simulated vendors that survive the service."""
    simulated = Vendors(tmp_path / "vendors", http)
    try:
        await simulated.start()
        yield simulated
    finally:
        await simulated.stop()
