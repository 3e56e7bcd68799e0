"""Fills a database with many messages by COPY, consistently: `python -m bench.load --messages 1000000`."""

import argparse
import asyncio
import os
import time
from asyncio import Queue, TaskGroup
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

import asyncpg

from bench import words
from bench.connected import connected
from bench.past import Size, Tally, conversations, messages
from parley.db.migrate import migrate

# So small that a socket takes all of it, for the server to work on while the next block is made.
_BLOCK = 250
_COLUMNS = {
    "messages": (
        "account_id", "id", "conversation_id", "direction", "channel", "from_address", "to_address",
        "from_raw", "to_raw", "subject", "body", "attachments", "status", "status_at", "provider",
        "provider_message_id", "segments", "priority", "occurred_at", "created_at",
    ),
    "conversations": (
        "account_id", "id", "uuid", "key", "channel", "channels", "participants", "message_count",
        "last_activity_at", "created_at",
    ),
    "threads": ("account_id", "key", "uuid", "conversation_id"),
    "message_words": ("account_id", "conversation_id", "message_id", "words"),
    "conversation_words": ("account_id", "conversation_id", "name", "words"),
}  # fmt: skip

# Foreign keys go first, for they lean on primary keys.
_KEPT = """
select
    contype as kind, format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint where contype in ('f', 'p') and conrelid = any ($1::text[]::regclass[])
union all
select 'i', format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index where not indisprimary and indrelid = any ($1::text[]::regclass[])
order by kind
"""


async def load(url: str, size: Size, *, searchable: bool = False) -> None:
    """Load into account 1, behind what is there; indexes are built afterwards, which is faster than keeping them."""
    await migrate(url)
    tables = [table for table in _COLUMNS if searchable or not table.endswith("_words")]
    async with connected(url, command_timeout=None) as connection:
        tally = Tally(1 + await connection.fetchval("select conversations from accounts where id = 1"))
        async with _bare(connection, tables):
            if searchable:
                await _searchable(url, connection, size, tally)
            else:
                await _plain(url, size, tally)
            await _said(connection, f"vacuum (analyze) {', '.join(tables)}")
        newest = tally.first + len(tally.counts) - 1
        await connection.execute("update accounts set conversations = $1 where id = 1", newest)


async def _plain(url: str, size: Size, tally: Tally) -> None:
    past = ((message.row,) for message in messages(size, tally, time.time()))
    await _fill(url, ["messages"], past)
    people = ((one.row, one.thread) for one in conversations(tally))
    await _fill(url, ["conversations", "threads"], people)


async def _searchable(
    url: str, connection: "asyncpg.Connection[asyncpg.Record]", size: Size, tally: Tally
) -> None:
    start = await words.shelved(connection)
    past = enumerate(messages(size, tally, time.time()), start)
    await _fill(url, ["messages", "message_words"], ((one.row, words.of_message(one, n)) for n, one in past))
    people = ((one.row, one.thread, words.of_contact(one.contact)) for one in conversations(tally))
    await _fill(url, ["conversations", "threads", "conversation_words"], people)
    await words.shelve(connection, start + size.messages)


@asynccontextmanager
async def _bare(
    connection: "asyncpg.Connection[asyncpg.Record]", tables: Collection[str]
) -> AsyncIterator[None]:
    """Take off indexes and foreign keys, and put them on again."""
    await connection.execute("set maintenance_work_mem = '1GB'")
    kept = await connection.fetch(_KEPT, tables)
    for one in kept:
        await connection.execute(one["drop"])
    try:
        yield
    finally:
        for one in reversed(kept):
            await _said(connection, one["make"])


async def _fill(url: str, tables: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    """Fill tables at the same time, each with its part of every row, while the next rows are made."""
    queues = [Queue[bytes](1) for _ in tables]
    async with TaskGroup() as group:
        for table, queue in zip(tables, queues, strict=True):
            group.create_task(_copy(url, table, queue))
        while block := list(islice(rows, _BLOCK)):
            for queue, lines in zip(queues, zip(*block, strict=True), strict=True):
                await queue.put("".join(lines).encode())
        for queue in queues:
            await queue.put(b"")


async def _copy(url: str, table: str, queue: Queue[bytes]) -> None:
    began = time.monotonic()
    async with connected(url, command_timeout=None) as connection, connection.transaction():
        # Only a table that the same transaction emptied takes rows frozen; vacuum writes all others again.
        if empty := not await connection.fetchval(f"select exists (select from {table})"):
            await connection.execute(f"truncate {table}")
        status = await connection.copy_to_table(
            table, source=_drain(queue), columns=_COLUMNS[table], format="text", freeze=empty
        )
    print(f"{table}: {status} in {time.monotonic() - began:.1f} s", flush=True)


async def _drain(queue: Queue[bytes]) -> AsyncIterator[bytes]:
    while block := await queue.get():
        yield block


async def _said(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    began = time.monotonic()
    await connection.execute(statement)
    print(f"{statement[:60]}: {time.monotonic() - began:.1f} s", flush=True)


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
    size = Size(given.messages, given.conversations, given.days, given.seed)
    asyncio.run(load(given.database_url, size, searchable=given.searchable))


if __name__ == "__main__":
    main()
