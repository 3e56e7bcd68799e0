"""What is indexed at once is what would have been indexed bit by bit."""

import asyncpg

from bench.load import load
from bench.load import make_searchable as index_bit_by_bit
from bench.past import Size
from bench.words import make_searchable as index_at_once
from parley.db.pool import Database

_ALL = (
    "select conversation_id, words::text from message_words order by conversation_id, words",
    "select conversation_id, name, words::text from conversation_words order by conversation_id",
    "select account_id, number, filled from shelves",
    "select indexdef from pg_indexes where tablename in ('message_words', 'conversation_words') order by 1",
)


async def test_indexing_at_once_leaves_what_the_follower_leaves(db: Database, database_url: str) -> None:
    """Words, their places and marks, names, shelves, and every index that was there before."""
    await load(database_url, Size(messages=2000, conversations=100))
    await index_bit_by_bit(database_url)
    expected = [await _rows(db, query) for query in _ALL]
    await db.execute("truncate message_words, conversation_words, shelves")
    await index_at_once(database_url)
    assert [await _rows(db, query) for query in _ALL] == expected


async def _rows(db: Database, query: str) -> list[tuple[object, ...]]:
    rows: list[asyncpg.Record] = await db.fetch(query)
    return [tuple(row) for row in rows]
