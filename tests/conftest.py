"""Real parts for every test: one PostgreSQL a session, a fresh copy of the migrated database a test."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from parley.db.embedded import running
from parley.db.migrate import migrate
from parley.db.pool import Database, open_database
from parley.settings import Settings
from parley.simulated import with_simulators

_numbers = count(1)


def other_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, so that it can be run again on another version."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[str]:
    """A PostgreSQL server: the embedded one, or one from the binaries that TEST_POSTGRES_BIN names."""
    binaries = os.environ.get("TEST_POSTGRES_BIN")
    with tempfile.TemporaryDirectory(prefix="parley-test-", ignore_cleanup_errors=True) as folder:
        # What a crash would lose is the subject of the tests that start a service; these only wait for the disk.
        options = {"fsync": "off", "shared_buffers": "64MB"}
        async with running(
            Path(folder), bin_dir=Path(binaries) if binaries else None, options=options
        ) as url:
            yield url


@pytest.fixture(scope="session")
async def template(server: str) -> str:
    """The name of a migrated database that tests copy."""
    connection = await asyncpg.connect(server)
    await connection.execute("create database template_of_tests")
    await connection.close()
    await migrate(other_database(server, "template_of_tests"))
    return "template_of_tests"


@pytest.fixture
async def database_url(server: str, template: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database; it is gone after the test."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield other_database(server, name)
        await _drop(connection, name)
    finally:
        await connection.close()


async def _drop(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> None:
    """Autovacuum may be at work in it, whom only a superuser may send away; it goes by itself."""
    async with asyncio.timeout(30):
        while True:
            try:
                await connection.execute(f"drop database {name} with (force)")
            except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectInUseError):
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open pool on a fresh database."""
    async with open_database(database_url, 8, "parley test") as database:
        yield database


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings of a service on a fresh database, with its providers turned to simulators."""
    return with_simulators(Settings(database_url=database_url, log_level="warning", simulators=True))
