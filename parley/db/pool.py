"""Connections: opened lazily, lent briefly, and honest about a database that is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeAlias

import asyncpg

from parley.core.errors import DatabaseAway

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 30.0
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
    """A pool that turns every way of being away into one `DatabaseAway`.

    The connection of the last single statement is kept at hand for the next one, unless somebody waits: to acquire one
    and release it takes the pool as long as a short statement. A connection that was lent, or whose statement was
    anything but a success, goes back to the pool, which knows what may be left on it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._waiting = 0
        self._kept: tuple[Connection, float] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; whatever shows the database to be away becomes `DatabaseAway`.

        Nobody leaves a setting, a lock, a cursor or a listener behind on it.
        """
        with _translated():
            connection = self._at_hand() or await self._acquired()
            try:
                yield connection
            finally:
                await self._pool.release(connection)

    @asynccontextmanager
    async def _for_one_statement(self) -> AsyncIterator[Connection]:
        with _translated():
            connection = self._at_hand() or await self._acquired()
            try:
                yield connection
            except BaseException:
                await self._pool.release(connection)
                raise
            if self._waiting or self._kept or not _is_idle(connection):
                await self._pool.release(connection)
            else:
                self._kept = connection, time.monotonic()

    async def close(self) -> None:
        """Close politely; a database that went away in the middle must not keep us."""
        self._waiting += 1  # for all that is lent
        try:
            await asyncio.wait_for(self._close(), timeout=2)
        except _AWAY:
            pass
        finally:
            self._pool.terminate()  # which does nothing where all is closed

    async def _close(self) -> None:
        if kept := self._at_hand():
            await self._pool.release(kept)
        await self._pool.close()

    def _at_hand(self) -> "Connection | None":
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        connection, since = kept
        if _is_idle(connection) and time.monotonic() - since < _LONGEST_REST_SECONDS:
            return connection
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        return None

    async def _acquired(self) -> Connection:
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=_CONNECT_SECONDS)
        finally:
            self._waiting -= 1

    async def fetch(self, statement: str, *arguments: Any) -> "list[asyncpg.Record]":
        async with self._for_one_statement() as connection:
            return await connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> "asyncpg.Record | None":
        async with self._for_one_statement() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        async with self._for_one_statement() as connection:
            return await connection.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        async with self._for_one_statement() as connection:
            return await connection.execute(statement, *arguments)


def _is_idle(connection: Connection) -> bool:
    """Whether a connection waits for a statement; one that the server has ended is the pool's again."""
    try:
        return not connection.is_closed() and not connection.is_in_transaction()
    except asyncpg.InterfaceError:
        return False


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what a connection raises when the server is away into `DatabaseAway`."""
    before = _cancellations()
    try:
        yield
    except _AWAY as error:
        if _cancellations() > before:  # which a rollback that fails must not hide
            raise asyncio.CancelledError from error
        raise DatabaseAway("the database cannot be reached right now") from error


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


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
        max_inactive_connection_lifetime=_LONGEST_REST_SECONDS,
        server_settings={"application_name": name, **SESSION, **(session or {})},
        reset=_nothing_to_undo,
    )
    await pool
    database = Database(pool)
    try:
        yield database
    finally:
        await database.close()


async def _nothing_to_undo(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Spare a round trip."""
