"""A connection for as long as something is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg


@asynccontextmanager
async def connected(url: str, **options: Any) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Lend a connection of its own."""
    connection = await asyncpg.connect(url, **options)
    try:
        yield connection
    finally:
        await connection.close()
