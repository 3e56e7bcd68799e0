"""What the hot queries cost at a size where a wrong plan shows."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from parley.db.sql import statements
from tests.conftest import other_database
from tests.drafts import inbound, outbound

CONVERSATIONS, MESSAGES, HOT = 100_000, 300_000, 50_000
NOON = datetime(2024, 11, 1, 12, tzinfo=UTC)
BIG = {"conversations", "messages", "threads", "events"}

# Conversation 1 has the hot ones of the messages, the others share the rest; the latest has the largest number.
SEED = f"""
insert into conversations (account_id, id, uuid, key, channel, channels, participants, message_count, last_activity_at)
select 1, n, gen_random_uuid(), 'sms:+12016661234<->+1804' || 5550000 + n, 'sms', '{{sms}}',
    array['+12016661234', '+1804' || 5550000 + n], 2, timestamptz '2024-11-01Z' + n * interval '1 second'
from generate_series(1, {CONVERSATIONS}) n;
insert into threads (account_id, key, uuid, conversation_id) select account_id, key, uuid, id from conversations;
insert into messages (account_id, id, conversation_id, direction, channel, from_address, to_address, body, status,
    segments, priority, occurred_at, created_at, provider, provider_message_id, idempotency_key)
select 1, gen_random_uuid(), case when n <= {HOT} then 1 else n % {CONVERSATIONS} + 1 end, 'inbound', 'sms',
    '+12016661234', '+18045551234', 'Hello there', 'received', 1, 1,
    timestamptz '2024-11-01Z' + n * interval '1 second', timestamptz '2024-11-01Z' + n * interval '1 second',
    'messaging', 'm' || n, 'k' || n
from generate_series(1, {MESSAGES}) n;
update accounts set conversations = {CONVERSATIONS};
analyze;
"""


@pytest.fixture(scope="module")
async def crowded(server: str, template: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A database of the size of a busy year."""
    outside = await asyncpg.connect(server)
    await outside.execute(f"create database crowded template {template}")
    connection = await asyncpg.connect(other_database(server, "crowded"))
    await connection.execute(SEED)
    yield connection
    await connection.close()
    await outside.execute("drop database crowded")
    await outside.close()


class Cost(msgspec.Struct):
    """What a statement did: pages touched, and the big tables that it read from end to end."""

    rows: int
    pages: int
    scanned: set[str]
    most_sorted: int


async def cost(connection: "asyncpg.Connection[Any]", mode: str, statement: str, *values: Any) -> Cost:
    """Run a statement as a prepared one is run, with a plan for these values or with one for any, and undo it."""
    explained = f"explain (analyze, buffers, timing off, format json) {statement}"
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"set local plan_cache_mode = {mode}; set local jit = off")
        top = json.loads(await connection.fetchval(explained, *values))[0]["Plan"]
    finally:
        await transaction.rollback()
    nodes = list(_nodes(top))
    return Cost(
        rows=round(top["Actual Rows"]),
        pages=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        scanned={node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} & BIG,
        most_sorted=max(
            (round(node["Actual Rows"]) for node in nodes if "Sort" in node["Node Type"]), default=0
        ),
    )


def _nodes(node: dict[str, Any]) -> Any:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def query(package: str, file: str, name: str) -> str:
    return statements(f"parley.{package}", file)[name]


LATEST = query("conversations", "conversations.sql", "latest")
ROWS = query("conversations", "conversations.sql", "rows")
THREAD = query("messages", "messages.sql", "thread")
MIDDLE = NOON + timedelta(hours=-12, seconds=50_000)
BEGINNING = NOON + timedelta(hours=-12, seconds=10)

READS: dict[str, tuple[str, tuple[Any, ...], int, int]] = {
    "the first page of the list": (LATEST, (1, None, None, 51, 0, None), 51, 30),
    "a deep page of the list": (LATEST, (1, MIDDLE, 50_000, 51, 0, None), 51, 30),
    "the last page of the list": (LATEST, (1, BEGINNING, 10, 51, 0, None), 9, 30),
    "the first page of one channel": (LATEST, (1, None, None, 51, 0, ["sms"]), 51, 30),
    "the conversations of a page": (ROWS, (1, list(range(1000, 1051))), 51, 600),
    "the liveliest conversation": (ROWS, (1, [1]), 1, 20),
    "the first page of a long thread": (THREAD, (1, 1, None, None, 51, 0), 51, 30),
    "a deep page of a long thread": (THREAD, (1, 1, MIDDLE - timedelta(seconds=10_000), UUID(int=0), 51, 0), 51, 30),
    "a short thread": (THREAD, (1, 77_777, None, None, 51, 0), 3, 15),
    "the last messages of a long thread": (query("messages", "messages.sql", "latest"), (1, 1, 200), 200, 50),
    "the total": (query("conversations", "conversations.sql", "total"), (1,), 1, 5),
    "a number by its key": (
        query("conversations", "conversations.sql", "number_of_key"), (1, "sms:+12016661234<->+18045600000"), 1, 10
    ),
    "a number by a UUID that nobody has": (
        query("conversations", "conversations.sql", "number_of_uuid"), (1, UUID(int=7)), 0, 10
    ),
    "a message by an id that nobody has": (query("messages", "messages.sql", "one"), (1, UUID(int=7)), 0, 10),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("what", READS)
async def test_a_read_costs_what_it_shows(crowded: "asyncpg.Connection[Any]", what: str, mode: str) -> None:
    """A few pages for each row of the answer, at any depth; no big table is read or sorted from end to end."""
    statement, values, rows, pages = READS[what]
    found = await cost(crowded, mode, statement, *values)
    assert (found.rows, found.scanned) == (rows, set())
    assert found.pages <= pages
    assert found.most_sorted <= 201


def _batch(count: int) -> str:
    """Messages of every kind into conversations of every age, with repetitions among them."""
    drafts = [
        inbound(f"new{n}", sender=f"+1804{5_550_000 + n * 997 % CONVERSATIONS + 1}", raw=b"{}")
        for n in range(count // 2)
    ]
    drafts += [
        outbound(f"new{n}", recipient=f"+1804{5_550_000 + n * 991 % CONVERSATIONS + 1}")
        for n in range(count // 4)
    ]
    drafts += [inbound(f"m{n * 1009 % MESSAGES + 1}") for n in range(count // 8)]
    drafts += [outbound(f"k{n * 1013 % MESSAGES + 1}") for n in range(count // 8)]
    return msgspec.json.encode(drafts).decode()


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("count", [8, 256])
async def test_storing_costs_the_same_in_a_full_house(
    crowded: "asyncpg.Connection[Any]", mode: str, count: int
) -> None:
    """A batch touches the pages of its own rows, their conversations and indexes."""
    found = await cost(crowded, mode, query("messages", "messages.sql", "store"), _batch(count))
    assert (found.rows, found.scanned) == (count, set())
    assert found.pages <= 30 * count + 100


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_opening_conversations_costs_the_same_in_a_full_house(
    crowded: "asyncpg.Connection[Any]", mode: str
) -> None:
    """New pairs among a hundred thousand old ones."""
    drafts = [inbound(None, sender=f"+1917555{n:04d}") for n in range(64)] + [
        inbound(None, sender="+18045550001")
    ]
    statement = query("conversations", "conversations.sql", "open")
    found = await cost(crowded, mode, statement, msgspec.json.encode(drafts).decode())
    assert found.scanned == set()
    assert found.pages <= 10 * 65
