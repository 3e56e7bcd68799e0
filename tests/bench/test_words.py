"""What is loaded with its words is what would have been indexed bit by bit."""

import asyncpg

from bench.load import load
from bench.past import Size
from parley.conversations import index
from parley.db.pool import Database

_ALL = (
    "select conversation_id, message_id, words::text from message_words order by message_id",
    "select conversation_id, name, words::text from conversation_words order by conversation_id",
    "select account_id, number, filled from shelves",
)
# The end of the first shelf comes in the middle of what is loaded.
_FILLED = f"insert into shelves (account_id, number, filled) values (1, 0, {index.SHELF - 1000})"


async def test_words_are_loaded_as_the_follower_would_leave_them(db: Database, database_url: str) -> None:
    """Words, their places and marks, names and shelves, behind what is there."""
    await db.execute(_FILLED)
    await load(database_url, Size(messages=2000, conversations=100), searchable=True)
    loaded = [await _rows(db, query) for query in _ALL]
    await db.execute("truncate message_words, conversation_words, shelves")
    await db.execute(_FILLED)
    await _follow(db)
    assert loaded == [await _rows(db, query) for query in _ALL]


async def _follow(db: Database) -> None:
    ids = [row["id"] for row in await db.fetch("select id from messages order by id")]
    for start in range(0, len(ids), 500):
        async with db.connection() as connection, connection.transaction():
            for statement, *arguments in await index.writes(connection, 1, ids[start : start + 500]):
                await connection.execute(statement, *arguments)


async def _rows(db: Database, query: str) -> list[tuple[object, ...]]:
    rows: list[asyncpg.Record] = await db.fetch(query)
    return [tuple(row) for row in rows]
