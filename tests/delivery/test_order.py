"""Who goes first: order within a conversation, turns between accounts, priority, and each sender's pace."""

import asyncio
import random
from uuid import UUID

import asyncpg
import msgspec
import pytest

from parley.core.outcome import Accepted
from parley.db.pool import Database
from parley.db.sql import statements
from parley.delivery import dead, queue
from parley.delivery.claimed import Claimed
from parley.delivery.queue import Route
from tests.delivery.stage import carriers, drained, enqueue, ruled, statuses, to_many, until, working
from tests.delivery.test_crash import end
from tests.delivery.vendor import Post, Vendor
from tests.drafts import outbound

_ROUTES = [Route(channel, 0, 1, "post", 1000, None) for channel in ("sms", "mms")]

_DRAWN = "select pg_sequence_last_value(pg_get_serial_sequence('deliveries', 'position')::regclass)"
_BLOCKED = "select exists (select from pg_locks where not granted)"


async def take(db: Database, limit: int = 100, after: int = 0, pace: float = 0.0) -> list[Claimed]:
    """Claim what may go now."""
    claimed, _ = await queue.claim(db, _ROUTES, limit, after, 5.0, pace)
    return claimed


async def test_a_conversation_keeps_its_order_through_failures(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """One after the other, also while an earlier one waits for its retry; never two at once to one person."""
    dice = random.Random(7)
    vendor.script.extend(dice.choices(["ok", "error", "limit"], [4, 1, 1], k=80))
    people = [f"+1804555{n:04d}" for n in range(5)]
    drafts = [outbound(recipient=dice.choice(people), body=str(n)) for n in range(60)]
    ids = await enqueue(db, drafts)
    async with working(db, database_url, carriers(post), ruled(max_retries=50), workers=2):
        await until(lambda: drained(db))
    assert vendor.most_to_one == 1
    places = {message_id: n for n, message_id in enumerate(ids)}
    for person in people:
        order = [places[taken.message_id] for taken in vendor.taken if taken.recipient == person]
        assert order == sorted(order)
    assert len(vendor.taken) == 60


async def test_a_message_given_up_frees_those_behind_it(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A dead or refused message does not hold its conversation for ever."""
    vendor.script.extend(["error"] * 4 + ["reject"])
    ids = await enqueue(db, [outbound(body=str(n)) for n in range(4)])
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert [taken.message_id for taken in vendor.taken] == ids[2:]
    assert await statuses(db) == {"failed": 2, "sent": 2}


async def test_no_message_is_left_behind_when_claims_and_ends_cross(db: Database) -> None:
    """Claims that put messages behind others race with ends that remove those: nobody is forgotten."""
    await enqueue(db, [outbound(body=str(n)) for n in range(40)])
    sent = 0

    async def work() -> None:
        nonlocal sent
        while sent < 240:
            claimed = await take(db, limit=8)
            await queue.settle(db, [end(taken, Accepted(None)) for taken in claimed])
            sent += len(claimed)
            await asyncio.sleep(0)

    async def write() -> None:
        for n in range(200):
            await enqueue(db, [outbound(body=f"more {n}")])

    async with asyncio.timeout(60):
        await asyncio.gather(work(), work(), work(), write())
    assert await statuses(db) == {"sent": 240}
    assert await drained(db)


async def test_nothing_is_put_behind_a_delivery_that_is_just_leaving(db: Database, database_url: str) -> None:
    """The end of the first is being written when a claim meets the second: that one stays ready."""
    await enqueue(db, [outbound(body="first")])
    [first] = await take(db)
    await enqueue(db, [outbound(body="second")])
    writer = await asyncpg.connect(database_url)
    ending = writer.transaction()
    await ending.start()
    await settle_on(writer, first)
    assert await take(db) == []
    await ending.commit()
    await writer.close()
    assert len(await take(db)) == 1


async def test_a_leaving_delivery_wakes_what_was_put_behind_it_meanwhile(
    db: Database, database_url: str
) -> None:
    """A claim is just putting the second behind the first: who removes the first waits for it, and sees it."""
    await enqueue(db, [outbound(body="first")])
    [first] = await take(db)
    await enqueue(db, [outbound(body="second")])
    claimer, writer = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    claiming = claimer.transaction()
    await claiming.start()
    routes = msgspec.json.encode(_ROUTES).decode()
    await claimer.fetch(
        statements("parley.delivery", "claim.sql")["claim"], routes, 9, 0, 5.0, UUID(int=1), 0.0
    )
    settling = asyncio.create_task(settle_on(writer, first))
    await until(lambda: db.fetchval("select exists (select from pg_locks where not granted)"))
    await claiming.commit()
    await settling
    await asyncio.gather(claimer.close(), writer.close())
    assert len(await take(db)) == 1


async def settle_on(connection: "asyncpg.Connection[asyncpg.Record]", claimed: Claimed) -> None:
    """Write an acceptance down on a given connection."""
    verdicts = msgspec.json.encode([end(claimed, Accepted(None))]).decode()
    await connection.fetch(statements("parley.delivery", "queue.sql")["settle"], verdicts)


async def test_whoever_is_first_in_a_conversation_is_never_behind(db: Database) -> None:
    """After every step of a conversation's life the first of its deliveries is not waiting behind anybody."""
    await enqueue(db, [outbound(body=str(n)) for n in range(5)])
    for _ in range(5):
        [first] = await take(db)
        assert await take(db) == []
        await queue.settle(db, [end(first, Accepted(None))])
        await db.execute("select follow(1, 1)")  # once more changes nothing
    assert await drained(db)


async def test_accounts_take_turns(db: Database) -> None:
    """An account with hundreds of messages does not delay another account's one."""
    await db.execute("insert into accounts (id, name) select n, 'account ' || n from generate_series(2, 6) n")
    await enqueue(db, to_many(300))
    for account in range(2, 7):
        await enqueue(db, to_many(3, account_id=account))
    claimed = await take(db, limit=30)
    share = {
        account: sum(taken.message.account_id == account for taken in claimed) for account in range(1, 7)
    }
    assert all(share[account] == 3 for account in range(2, 7))
    assert share[1] > 0


async def test_all_of_many_accounts_get_their_turn(db: Database) -> None:
    """More accounts than one claim visits: the next claim goes on where the last one ended."""
    await db.execute(
        "insert into accounts (id, name) select n, 'account ' || n from generate_series(2, 150) n"
    )
    for account in range(1, 151):
        await enqueue(db, to_many(4, account_id=account))
    seen: set[int] = set()
    after = 0
    for _ in range(3):
        claimed, after = await queue.claim(db, _ROUTES, 64, after, 5.0, 0.0)
        seen |= {taken.message.account_id for taken in claimed}
    assert seen == set(range(1, 151))


async def test_the_urgent_go_before_the_rest(db: Database) -> None:
    """Priority 0 is claimed before priority 1, however long the latter have waited."""
    await enqueue(db, to_many(50))
    urgent = await enqueue(db, [outbound(recipient=f"+1804666{n:04d}", priority=0) for n in range(10)])
    assert {taken.message.id for taken in await take(db, limit=10)} == set(urgent)


async def test_messages_go_in_the_order_in_which_they_were_stored(db: Database) -> None:
    """Within an account and a priority, first come, first served."""
    ids = await enqueue(db, to_many(30))
    claimed = await take(db, limit=10) + await take(db, limit=10) + await take(db, limit=10)
    assert sorted(taken.message.id for taken in claimed[:10]) == sorted(ids[:10])
    assert sorted(taken.message.id for taken in claimed[20:]) == sorted(ids[20:])


@pytest.mark.parametrize("again", [False, True])
async def test_a_place_in_the_queue_is_drawn_when_the_conversation_is_ours(
    again: bool, db: Database, database_url: str
) -> None:
    """Else one could come to stand before another that is under way already: two to one person at once."""
    [first] = await enqueue(db, [outbound()])
    if again:
        await db.execute("delete from deliveries")
        await db.execute("update messages set status = 'failed'")
    holder = await asyncpg.connect(database_url)
    holding = holder.transaction()
    await holding.start()
    await holder.execute("select from conversations for update")
    before = await holder.fetchval(_DRAWN)
    waiting = asyncio.create_task(dead.retry(db, 1, [first]) if again else enqueue(db, [outbound()]))
    await until(lambda: db.fetchval(_BLOCKED))
    drawn = await holder.fetchval(_DRAWN)
    await holding.commit()
    await waiting
    assert (drawn, await holder.fetchval(_DRAWN)) == (before, before + 1)
    await holder.close()


async def test_a_sender_is_paced_in_segments(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """At ten segments a second, thirty segments take two seconds after the first bucketful; others go at once."""
    await enqueue(db, to_many(10, body="x" * 400))  # three segments each
    other = await enqueue(db, [outbound(sender="+12016660000", recipient="+18045559999")])
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with working(db, database_url, carriers(post), ruled(segments_per_second=10.0), workers=2):
        await until(lambda: drained(db))
    took = [taken.at - began for taken in vendor.taken if taken.message_id not in other]
    for n, moment in enumerate(took, start=1):
        assert 3 * (n - 1) <= 13 + 10 * moment  # a bucketful and one message, then the rate
    assert took[-1] > 1.5
    assert vendor.taken[-1].message_id not in other  # which came last, and waited for none of those before it


async def test_a_long_paced_queue_is_planned_and_not_looked_at_again(db: Database) -> None:
    """Each message that has to wait for its sender gets a moment of its own; further claims find nothing to do."""
    await enqueue(db, to_many(200))
    claimed = 0
    for _ in range(8):
        claimed += len(await take(db, limit=64, pace=1.0))
    assert claimed == 1
    assert await db.fetchval("select count(*) from deliveries where state = 'ready'") == 0
    spread = await db.fetchval("select max(due_at) - now() from deliveries where state = 'waiting'")
    assert 190 < spread.total_seconds() < 210
    closest = await db.fetchval(
        """
        select min(gap) from (
            select due_at - lag(due_at) over (order by due_at) as gap from deliveries
            where state = 'waiting' and due_at > now() + interval '5 seconds'
        ) gaps
        """
    )
    assert closest.total_seconds() == pytest.approx(1.0, abs=0.01)


async def test_the_urgent_overtake_the_plan_of_their_sender(db: Database) -> None:
    """An urgent message of a sender with a long plan gets one of the next turns and not the last one."""
    await enqueue(db, to_many(100))
    for _ in range(4):
        await take(db, limit=64, pace=1.0)
    await enqueue(db, [outbound(recipient="+18046660000", priority=0)])
    await take(db, limit=64, pace=1.0)
    wait = await db.fetchval("select due_at - now() from deliveries where priority = 0")
    assert wait.total_seconds() < 2.0


async def test_email_and_look_ups_cost_no_segments(db: Database) -> None:
    """Only what goes over the air is paced."""
    email = Route("email", 0, 1, "mail", 100, None)
    mails = [
        outbound(channel="email", sender="a@example.com", recipient=f"b{n}@example.com", body="x")
        for n in range(20)
    ]
    await enqueue(db, mails)
    claimed, _ = await queue.claim(db, [email], 50, 0, 5.0, 1.0)
    assert len(claimed) == 20
