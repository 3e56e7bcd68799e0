"""Connections: opened when they are needed, lent briefly, and honest about a database that is away.

asyncpg's own pool takes as much of the processor as the statement itself: it sets a timer even where nobody has to
wait, and takes a connection back in a task of its own.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg

from parley.core.errors import DatabaseAway

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 30.0
_CLOSE_SECONDS = 2.0
# Firewalls forget a connection that is silent for long, and tell neither end.
_LONGEST_REST_SECONDS = 300.0

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
    """So many connections at the most, each lent to one at a time; every way of being away is one `DatabaseAway`."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(size)
        self._resting: list[tuple[Connection, float]] = []
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; whatever shows the database to be away becomes `DatabaseAway`."""
        with _translated():
            await self._wait_for_a_place()
            try:
                connection = self._rested() or await self._connect()
                try:
                    yield connection
                except (asyncio.CancelledError, TimeoutError):
                    await _leave(connection)
                    raise
                finally:
                    self._take_back(connection)
            finally:
                self._places.release()

    async def close(self) -> None:
        """End the connections; one that is still lent ends when it comes back."""
        self._closed = True
        resting, self._resting = self._resting, []
        await asyncio.gather(*(_leave(connection) for connection, _ in resting))

    async def _wait_for_a_place(self) -> None:
        if self._places.locked():
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()

    def _rested(self) -> "Connection | None":
        """The connection that was used last, so that what a rush has opened falls into disuse."""
        while self._resting:
            connection, since = self._resting.pop()
            if not connection.is_closed() and time.monotonic() - since < _LONGEST_REST_SECONDS:
                return connection
            connection.terminate()
        return None

    def _take_back(self, connection: Connection) -> None:
        if connection.is_closed():
            return
        if self._closed or connection.is_in_transaction():
            connection.terminate()
        else:
            self._resting.append((connection, time.monotonic()))

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


async def _leave(connection: Connection) -> None:
    """Close politely, having what was broken off on it cancelled; a server that is away must not keep us."""
    with contextlib.suppress(*_AWAY):
        await connection.close(timeout=_CLOSE_SECONDS)


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
    """Lend a database that is connected to at first use, so that a process can start before its database."""

    async def connect() -> Connection:
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings={"application_name": name, **SESSION, **(session or {})},
        )

    database = Database(connect, size)
    try:
        yield database
    finally:
        await database.close()
