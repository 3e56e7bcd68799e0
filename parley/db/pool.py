"""Connections: opened lazily, lent briefly, and honest about a database that is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg

from parley.core.errors import DatabaseAway

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 30.0

# What a server that is away, starting, stopping or full answers; all of it passes by itself.
_AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.InternalClientError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
)


class Database:
    """A pool that turns every way of being away into one `DatabaseAway`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; whatever shows the database to be away becomes `DatabaseAway`."""
        with _translated():
            async with self._pool.acquire(timeout=_CONNECT_SECONDS) as connection:
                yield connection

    async def fetch(self, statement: str, *arguments: Any) -> "list[asyncpg.Record]":
        async with self.connection() as connection:
            return await connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> "asyncpg.Record | None":
        async with self.connection() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        async with self.connection() as connection:
            return await connection.execute(statement, *arguments)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what a connection raises when the server is away into `DatabaseAway`."""
    try:
        yield
    except _AWAY as error:
        raise DatabaseAway("the database cannot be reached right now") from error


# Every statement of ours finds its rows by an index. A plan is kept for long: one made while a table was small, or
# not yet analysed, would go on to read all of it.
SESSION = {
    "jit": "off",  # compiling short statements takes longer than they run
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

# For programs whose statements do the same whatever their arguments are. The claim alone takes longer to plan than to
# run, and PostgreSQL would go on planning it anew.
PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}


@asynccontextmanager
async def open_database(
    url: str, size: int, name: str, session: Mapping[str, str] | None = None
) -> AsyncIterator[Database]:
    """Open a pool that connects on first use, so that a process can start before its database."""
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=_CONNECT_SECONDS,
        command_timeout=_COMMAND_SECONDS,
        max_inactive_connection_lifetime=300,
        server_settings={"application_name": name, **SESSION, **(session or {})},
        reset=_nothing_to_undo,
    )
    await pool
    try:
        yield Database(pool)
    finally:
        await _close(pool)


async def _nothing_to_undo(connection: Connection) -> None:
    """Spare a round trip: nobody leaves a setting, a lock, a cursor or a listener behind on a lent connection."""


async def _close(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Close politely; a database that went away in the middle must not keep us."""
    try:
        await asyncio.wait_for(pool.close(), timeout=2)
    except (TimeoutError, *_AWAY):
        pool.terminate()
