"""Fills a database with many messages by COPY, consistently: `python -m bench.load --messages 1000000`."""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from bench.past import Size, Tally, conversations, messages, threads
from parley.conversations import index
from parley.db.migrate import migrate
from parley.db.pool import open_database

_BLOCK = 2000
_MESSAGES = (
    "account_id", "id", "conversation_id", "direction", "channel", "from_address", "to_address",
    "from_raw", "to_raw", "subject", "body", "attachments", "status", "status_at", "provider",
    "provider_message_id", "segments", "priority", "occurred_at", "created_at",
)  # fmt: skip
_CONVERSATIONS = (
    "account_id", "id", "uuid", "key", "channel", "channels", "participants", "message_count",
    "last_activity_at", "created_at",
)  # fmt: skip


async def load(url: str, size: Size) -> None:
    """Load into account 1, behind what is there; indexes are built afterwards, which is faster than keeping them."""
    await migrate(url)
    connection = await asyncpg.connect(url, command_timeout=None)
    try:
        tally = Tally(1 + await connection.fetchval("select conversations from accounts where id = 1"))
        async with _bare(connection):
            rows = messages(size, tally, time.time())
            await _copy(connection, "messages", _MESSAGES, rows)
            await _copy(connection, "conversations", _CONVERSATIONS, conversations(tally))
            await _copy(
                connection, "threads", ("account_id", "key", "uuid", "conversation_id"), threads(tally)
            )
        newest = tally.first + len(tally.counts) - 1
        await connection.execute("update accounts set conversations = $1 where id = 1", newest)
        await connection.execute("vacuum (analyze) messages, conversations, threads")
    finally:
        await connection.close()


async def make_searchable(url: str) -> None:
    """Index what was loaded, as the follower of the feed would have."""
    began, last, count = time.monotonic(), UUID(int=0), 0
    async with open_database(url, 1, "bench load") as db:
        while ids := [row["id"] for row in await db.fetch(_LOADED, last, _BLOCK)]:
            async with db.connection() as connection, connection.transaction():
                for statement, *arguments in await index.writes(connection, 1, ids):
                    await connection.execute(statement, *arguments)
            last, count = ids[-1], count + len(ids)
            await index.tidy(db)
    print(f"words: {count} messages in {time.monotonic() - began:.1f} s", flush=True)


_LOADED = """
select id from messages where account_id = 1 and id > $1 and provider_message_id like 'bench-%' order by id limit $2
"""

_KEPT = """
select
    format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint
where contype = 'f' and conrelid in ('messages'::regclass, 'conversations'::regclass, 'threads'::regclass)
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index
where indrelid in ('messages'::regclass, 'conversations'::regclass) and not indisprimary
"""


@asynccontextmanager
async def _bare(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Take off secondary indexes and foreign keys, and put them on again."""
    await connection.execute("set maintenance_work_mem = '512MB'")
    kept = await connection.fetch(_KEPT)
    for one in kept:
        await connection.execute(one["drop"])
    try:
        yield
    finally:
        for one in reversed(kept):
            await connection.execute(one["make"])


async def _copy(
    connection: "asyncpg.Connection[asyncpg.Record]", table: str, columns: Sequence[str], rows: Iterator[str]
) -> None:
    began = time.monotonic()
    status = await connection.copy_to_table(table, source=_blocks(rows), columns=columns, format="text")
    print(f"{table}: {status} in {time.monotonic() - began:.1f} s", flush=True)


async def _blocks(rows: Iterator[str]) -> AsyncIterator[bytes]:
    """Hand rows over in blocks, so that the server stores one while the next is made."""
    block: list[str] = []
    for row in rows:
        block.append(row)
        if len(block) == _BLOCK:
            yield "".join(block).encode()
            block.clear()
    yield "".join(block).encode()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--database-url", default=os.environ.get("DATABASE_URL"), required="DATABASE_URL" not in os.environ
    )
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365, help="the past over which the messages are spread")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--searchable", action="store_true", help="index the words as well, which takes longer"
    )
    given = parser.parse_args()
    asyncio.run(load(given.database_url, Size(given.messages, given.conversations, given.days, given.seed)))
    if given.searchable:
        asyncio.run(make_searchable(given.database_url))


if __name__ == "__main__":
    main()
