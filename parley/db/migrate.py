"""Numbered migrations, run once each, under an advisory lock so that many processes may start at once."""

from collections.abc import Iterator
from importlib.resources import files

import asyncpg

# Any number serves, as long as nobody else locks it; this one spells "parley" on a phone.
_LOCK = 727539

LEDGER = """
create table if not exists schema_migrations (
    name text primary key,
    applied_at timestamptz not null default now()
)
"""

# A feed position from before a restore into a new cluster may lie ahead of that cluster's transactions: such
# events would stay invisible until its counter caught up. They are the past, so they go to the beginning.
_REBASE_FEED = "update events set xid = '0' where xid > pg_current_xact_id()"


def available() -> Iterator[tuple[str, str]]:
    """List the migrations that this version carries, in order, with their text."""
    folder = files("parley.db").joinpath("migrations")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8")


async def migrate(url: str) -> list[str]:
    """Apply what is missing, each in its own transaction, and name what was applied."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(LEDGER)
        applied = [name for name, text in available() if await _apply(connection, name, text)]
        await connection.execute(_REBASE_FEED)
        return applied
    finally:
        await connection.close()


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", name: str, text: str) -> bool:
    if await connection.fetchval("select true from schema_migrations where name = $1", name):
        return False
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("insert into schema_migrations (name) values ($1)", name)
    return True


MISSING = """
select name from unnest($1::text[]) as carried (name)
where not exists (select from schema_migrations applied where applied.name = carried.name)
"""


def names() -> list[str]:
    """Name the migrations that this version carries."""
    return [name for name, _ in available()]
