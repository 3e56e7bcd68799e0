"""Tells the planner of tables that it has never seen filled.

PostgreSQL analyzes a table some time after its first fifty rows. Until then the planner guesses, and what it
guessed for the first message is still the plan for the forty thousandth.
"""

from parley.db.pool import Database

_UNSEEN = """
select quote_ident(relname) as name
from pg_class
where relkind = 'r' and relnamespace = current_schema()::regnamespace
    and reltuples < 0 and pg_relation_size(oid) > 0
"""


async def introduce(db: Database) -> None:
    """Analyze the tables that have got their first rows."""
    for row in await db.fetch(_UNSEEN):
        await db.execute(f"analyze {row['name']}")
