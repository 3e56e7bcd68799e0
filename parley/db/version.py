"""Whether a database can be reached and is one that the schema runs on, said in one line if not."""

import asyncpg

from parley.settings import SettingsError

_OLDEST = 15
_CONNECT_SECONDS = 10


class UnfitDatabaseError(Exception):
    """The database is of no use to us; the text is the one line the operator sees."""


async def reach(url: str) -> str:
    """Connect once and return the server's version."""
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except ValueError:  # its words may repeat a part of the password
        raise SettingsError(
            "DATABASE_URL is a value that is not shown, but takes postgresql://user:password@host:port/database"
        ) from None
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = error or type(error).__name__
        raise UnfitDatabaseError(f"the database of DATABASE_URL cannot be reached: {reason}") from None
    try:
        version: str = connection.get_settings().server_version.split()[0]
    finally:
        await connection.close()
    if int(version.split(".", maxsplit=1)[0]) < _OLDEST:
        raise UnfitDatabaseError(
            f"the database of DATABASE_URL is PostgreSQL {version}, but has to be {_OLDEST} or later"
        )
    return version
