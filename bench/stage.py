"""The stage: an embedded PostgreSQL in a temporary folder, with as many databases as there are measurements."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bench.connected import connected
from bench.proc import busy_seconds, family
from parley.db.embedded import Server
from parley.db.migrate import migrate

# Room for 256 clients that come without a pool, beside those who have one.
_OPTIONS = {"max_connections": "400"}


class Stage:
    """A running server, its folder, and fresh databases on it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.folder = folder
        self.server = server

    async def database(self, name: str, *, migrated: bool = True) -> str:
        """Make a database and return its address."""
        async with connected(self.server.url) as connection:
            await connection.execute(f"create database {name}")
        url = urlunsplit(urlsplit(self.server.url)._replace(path=f"/{name}"))
        if migrated:
            await migrate(url)
        return url

    async def drop(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        async with connected(self.server.url) as connection:
            await connection.execute(f"drop database {name} with (force)")

    def busy_seconds(self) -> float:
        """Processor time that the server has taken so far, with all its processes, past and present."""
        assert self.server.pid is not None
        return busy_seconds(family(self.server.pid))

    async def checkpoint(self) -> None:
        """Have written what is still to be written, so that it is not while others are measured."""
        async with connected(self.server.url, user="postgres") as connection:
            await connection.execute("checkpoint")

    async def log_position(self) -> int:
        """How many bytes of write-ahead log there have ever been."""
        async with connected(self.server.url) as connection:
            return int(await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Set the stage up, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-", ignore_cleanup_errors=True) as name:
        server = Server(Path(name, "data"), options=_OPTIONS)
        try:
            await server.start()
            yield Stage(server, Path(name))
        finally:
            await server.stop()
