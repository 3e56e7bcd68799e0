"""Embedded servers for tests, and what one wants to know of them."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from parley.db import leftovers
from parley.db.embedded import Server

BINARIES = Path(os.environ["TEST_POSTGRES_BIN"]) if "TEST_POSTGRES_BIN" in os.environ else None
QUICK = {"fsync": "off", "shared_buffers": "16MB"}  # processes are killed here, not machines
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")

Start = Callable[[Path], Awaitable[Server]]


async def ask(server: Server, statement: str) -> object:
    """The one value that a statement gives."""
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def alive(data_dir: Path, pid: int) -> bool:
    """Whether this is a living process of the server of a data folder."""
    return leftovers.belongs(pid, leftovers.mark(data_dir / "postgres"))


def processes(data_dir: Path) -> list[int]:
    """All living processes of the server of a data folder."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if alive(data_dir, int(entry.name))]
