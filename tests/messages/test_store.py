"""The store's promises: nothing twice, nothing lost, numbers without gaps, no deadlock."""

import asyncio
import random
from datetime import UTC, datetime

from parley.db.pool import Database
from parley.messages.store import store
from tests.drafts import inbound, outbound


async def _invariants_hold(db: Database) -> None:
    """What must be true of every database at any time."""
    assert (
        await db.fetch(
            """
        select c.id from conversations c
        where message_count <> (
            select count(*) from messages m where m.account_id = c.account_id and m.conversation_id = c.id
        )
        """
        )
        == []
    )
    assert (
        await db.fetch(
            """
        select a.id from accounts a
        where conversations <> (select count(*) from conversations c where c.account_id = a.id)
           or conversations <> (select coalesce(max(c.id), 0) from conversations c where c.account_id = a.id)
        """
        )
        == []
    )
    assert await db.fetch("select key from conversations group by account_id, key having count(*) > 1") == []


async def test_both_directions_share_one_conversation(db: Database) -> None:
    """A conversation is the unordered pair of addresses, whatever the direction."""
    sent, came = outbound(), inbound("m1")
    batch = await store(db, [sent, came])
    assert {stored.conversation_id for stored in batch.stored.values()} == {1}
    assert batch.opened == 1
    assert await db.fetchval("select message_count from conversations") == 2
    await _invariants_hold(db)


async def test_a_conversations_numbers_have_no_gaps_under_concurrency(db: Database) -> None:
    """Numbers count from 1 without gaps, however many writers open conversations at once."""
    numbers = [f"+1804555{n:04d}" for n in range(60)]

    async def write(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(6):
            await store(db, [inbound(None, sender=dice.choice(numbers)) for _ in range(10)])

    await asyncio.gather(*(write(seed) for seed in range(8)))
    assert await db.fetchval("select count(*) from messages") == 480
    await _invariants_hold(db)


async def test_writers_on_hot_conversations_do_not_deadlock(db: Database) -> None:
    """64 writers over 100 hot conversations in random order: every batch commits."""
    numbers = [f"+1804555{n:04d}" for n in range(100)]
    await store(db, [inbound(None, sender=number) for number in numbers])

    async def write(seed: int) -> None:
        dice = random.Random(seed)
        await store(db, [inbound(None, sender=number) for number in dice.sample(numbers, 50)])

    await asyncio.gather(*(write(seed) for seed in range(64)))
    assert await db.fetchval("select sum(message_count) from conversations") == 100 + 64 * 50
    await _invariants_hold(db)


async def test_a_webhook_repeated_at_once_is_stored_once(db: Database) -> None:
    """The same provider message id in fifty concurrent batches is one message."""
    batches = await asyncio.gather(*(store(db, [inbound("the same")]) for _ in range(50)))
    answers = [stored for batch in batches for stored in batch.stored.values()]
    assert len(answers) == 50
    assert len({answer.message_id for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1
    await _invariants_hold(db)


async def test_a_repetition_inside_one_batch_is_stored_once(db: Database) -> None:
    """Group commit may bring a message and its repetition into one statement."""
    drafts = [inbound("twin"), inbound("twin"), outbound("key"), outbound("key")]
    batch = await store(db, drafts)
    assert len(batch.stored) == 4
    assert sorted(stored.duplicate for stored in batch.stored.values()) == [False, False, True, True]
    assert await db.fetchval("select count(*) from messages") == 2
    await _invariants_hold(db)


async def test_batches_with_the_same_repeats_in_opposite_order_do_not_deadlock(db: Database) -> None:
    """Unique keys are taken in order."""
    ids = [f"m{n}" for n in range(40)]

    async def write(turn: int) -> None:
        await store(db, [inbound(name) for name in (ids if turn % 2 else reversed(ids))])

    await asyncio.gather(*(write(turn) for turn in range(16)))
    assert await db.fetchval("select count(*) from messages") == 40
    await _invariants_hold(db)


async def test_equal_texts_are_two_messages(db: Database) -> None:
    """Two messages with equal content and no id in common are two messages."""
    await store(db, [outbound(), outbound(), inbound(None), inbound(None)])
    assert await db.fetchval("select count(*) from messages") == 4


async def test_an_idempotency_key_keeps_the_hash_of_its_first_request(db: Database) -> None:
    """The store tells a repetition from a contradiction."""
    first = outbound("key", body="one")
    await store(db, [first])
    other = outbound("key", body="two")
    answer = (await store(db, [other])).stored[other.id]
    assert answer.duplicate
    assert answer.message_id == first.id
    assert answer.request_hash == first.request_hash != other.request_hash


async def test_every_outbound_message_has_its_delivery_and_every_message_its_event(db: Database) -> None:
    """Message, work and news are stored by the same statement or not at all."""
    await store(db, [outbound(), outbound(), inbound("m1", raw=b'{"as": "it came"}')])
    assert await db.fetchval("select count(*) from deliveries") == 2
    assert await db.fetchval("select count(*) from events where kind = 'message.created'") == 3
    assert await db.fetchval("select body from inbound_events") == b'{"as": "it came"}'


async def test_a_message_from_the_future_does_not_hold_the_top(db: Database) -> None:
    """The list is ordered by what happened, not by what a sender's clock claims."""
    await store(db, [inbound("m1", occurred_at=datetime(2999, 1, 1, tzinfo=UTC))])
    assert await db.fetchval("select last_activity_at <= now() from conversations")
    assert await db.fetchval("select extract(year from occurred_at)::int from messages") == 2999
