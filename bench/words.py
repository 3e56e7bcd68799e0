"""Makes a loaded database searchable at once: by COPY, what the feed's follower would have written bit by bit."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import parseaddr
from functools import lru_cache
from itertools import count

import asyncpg

from parley.conversations import index
from parley.core.snippet import to_text
from parley.core.words import STEM, words

_BLOCK = 5000
_GAP = 10
_END = "</p></div>"

_MESSAGES = """
select id, conversation_id, channel, subject, body, coalesce(from_raw, to_raw) as contact
from messages where account_id = 1 order by id
"""
_KEPT = """
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint where conrelid = 'message_words'::regclass and contype = 'p'
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index where indrelid in ('message_words'::regclass, 'conversation_words'::regclass) and not indisprimary
"""
_ONE_EACH = """
select distinct on (conversation_id) id
from messages where account_id = 1 order by conversation_id, id
"""


async def make_searchable(url: str) -> None:
    """Index account 1, of which nothing may be indexed yet."""
    reading, writing = [await asyncpg.connect(url, command_timeout=None) for _ in range(2)]
    try:
        await writing.execute("set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 2")
        kept = await writing.fetch(_KEPT)
        for one in kept:
            await writing.execute(one["drop"])
        await _copy(reading, writing)
        await _conversations(writing)
        for one in kept:
            await _said(writing, one["make"])
        await writing.execute("analyze message_words, conversation_words")
    finally:
        await reading.close()
        await writing.close()


async def _copy(
    reading: "asyncpg.Connection[asyncpg.Record]", writing: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    began, numbers = time.monotonic(), count()
    async with reading.transaction():
        await writing.copy_to_table(
            "message_words", source=_blocks(reading, numbers), format="text",
            columns=("account_id", "conversation_id", "message_id", "words"),
        )  # fmt: skip
    total = next(numbers)
    await writing.execute(
        "insert into shelves (account_id, number, filled) values (1, $1, $2)", *divmod(total, index.SHELF)
    )
    print(f"words: {total} messages in {time.monotonic() - began:.1f} s", flush=True)


async def _blocks(
    reading: "asyncpg.Connection[asyncpg.Record]", numbers: "count[int]"
) -> AsyncIterator[bytes]:
    """Read and write at the same time: the next block is fetched while the server stores the last one."""
    cursor = await reading.cursor(_MESSAGES)
    ahead = asyncio.ensure_future(cursor.fetch(_BLOCK))
    while rows := await ahead:
        ahead = asyncio.ensure_future(cursor.fetch(_BLOCK))
        yield "".join(
            f"1\t{row['conversation_id']}\t{row['id']}\t{_document(row, next(numbers) // index.SHELF)}\n"
            for row in rows
        ).encode()


def _document(row: asyncpg.Record, shelf: int) -> str:
    channel, body = row["channel"], row["body"]
    if channel == "email":
        name, address = parseaddr(row["contact"])
        body, _, number = body.removesuffix(_END).rpartition("Ref ")
        parts = [[row["subject"]], [body, f"Ref {number}"], [name], [address]]
    else:
        body, order, number = body.rpartition(" order ") if body[-1].isdigit() else (body, "", "")
        parts = [[], [body, order + number]]
    return f"{' '.join(_tokens(parts))} '{index.mark_of_shelf(1, shelf)}' '{index.mark_of_channel(channel)}'"


def _tokens(parts: list[list[str]]) -> Iterator[str]:
    """Every part begins with what is from a pool, and need be cut into words but once."""
    at = 1
    for part in parts:
        for n, piece in enumerate(part):
            tokens, length = (_cut if n else _pooled)(piece, at)
            yield tokens
            at += length
        at += _GAP


def _cut(text: str, at: int) -> tuple[str, int]:
    """A text's words with their places, and their stems; whoever reads a vector puts what is double together."""
    found = words(to_text(text) if text[:1] == "<" else text)
    stems = {f"'^{word[:STEM]}'" for word in found if len(word) > STEM}
    return " ".join([*(f"'{word}':{at + n}" for n, word in enumerate(found)), *stems]), len(found)


_pooled = lru_cache(maxsize=100_000)(_cut)


async def _conversations(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """One message of each tells who it is with."""
    began = time.monotonic()
    ids = [row["id"] for row in await connection.fetch(_ONE_EACH)]
    for start in range(0, len(ids), _BLOCK):
        rows = await connection.fetch(index._SQL["messages"], 1, ids[start : start + _BLOCK])
        for statement, *arguments in await index._conversations(connection, 1, rows):
            await connection.execute(statement, *arguments)
    print(f"names: {len(ids)} conversations in {time.monotonic() - began:.1f} s", flush=True)


async def _said(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    began = time.monotonic()
    await connection.execute(statement)
    print(f"{statement[:60]}: {time.monotonic() - began:.1f} s", flush=True)
