"""The worker's promises on an ordinary day: every message once, at once, and an orderly end."""

import asyncio

from aiohttp import ClientSession

from parley import metrics
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery.heartbeat import alive
from parley.delivery.history import attempts
from parley.delivery.worker import Worker
from tests.delivery.stage import carriers, drained, enqueue, ruled, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor
from tests.drafts import outbound


def _metric(name: str) -> int:
    return metrics.as_json()[name]


async def test_two_workers_send_every_message_once(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """However many workers share the queue, each message reaches the provider exactly once."""
    ids = await enqueue(db, to_many(300))
    claimed, processed = _metric("worker_claimed"), _metric("worker_processed")
    async with working(db, database_url, carriers(post), workers=2):
        await until(lambda: drained(db))
    assert vendor.counts == dict.fromkeys(ids, 1)
    assert await statuses(db) == {"sent": 300}
    # A worker that had to wait too long for a processor gives back what it claimed, and claims it again.
    assert _metric("worker_claimed") >= claimed + 300
    assert _metric("worker_processed") == processed + 300


async def test_an_accepted_message_carries_its_providers_id(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """After acceptance the message shows who carries it and under which id, and the feed says `sent`."""
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    row = await db.fetchrow("select * from messages")
    assert row is not None
    assert (row["provider"], row["provider_message_id"]) == ("post", vendor.taken[0].vendor_id)
    told = await db.fetch("select kind, status from events order by xid, id")
    assert [tuple(event) for event in told] == [("message.created", "queued"), ("message.status", "sent")]
    [attempt] = await attempts(db, 1, row["id"])
    assert (attempt.n, attempt.outcome, attempt.http_status, attempt.next_at) == (1, "accepted", 201, None)
    assert attempt.ended_at is not None
    assert attempt.started_at < attempt.ended_at
    assert str(row["id"]) == message_id


async def test_a_refused_message_fails_with_the_providers_words(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A permanent refusal is final at once; the message says in the provider's words why."""
    vendor.habit = "reject"
    await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    row = await db.fetchrow("select status, error_code, error from messages")
    assert row is not None
    assert tuple(row) == ("failed", "E400", "as told: reject")
    assert len(vendor.requests) == 1


async def test_retry_after_is_honoured(db: Database, database_url: str, vendor: Vendor, post: Post) -> None:
    """A provider that asks for a second gets it, however short our own backoff is."""
    vendor.script.append("limit")
    vendor.retry_after = "1"
    await enqueue(db, to_many(1))
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert len(vendor.requests) == 2
    assert vendor.taken[0].at - began >= 1.0


async def test_the_bell_wakes_an_idle_worker(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A message that arrives while the worker sleeps goes out at the ring, well before the next poll."""
    bell = Bell(db)
    async with working(db, database_url, carriers(post)):
        await until(lambda: db.fetchval("select count(*) from workers"))
        quickest = 9.9
        for n in range(5):
            began = asyncio.get_running_loop().time()
            await enqueue(db, to_many(1))
            bell.ring("deliveries")
            await until(lambda n=n: len(vendor.taken) == n + 1)  # type: ignore[misc]
            quickest = min(quickest, vendor.taken[-1].at - began)
            await until(lambda: drained(db))
    await bell.close()
    assert quickest < 0.5


async def test_no_more_is_claimed_than_can_be_under_way(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A slow provider has at most its concurrency in hand, and nothing else sits claimed."""
    vendor.open.clear()
    await enqueue(db, to_many(50))
    async with working(db, database_url, carriers(post), ruled(concurrency=7, timeout=5, lease=20)):
        await until(lambda: vendor.inside.total() == 7)
        assert await db.fetchval("select count(*) from deliveries where state = 'claimed'") == 7
        vendor.open.set()
        await until(lambda: drained(db))
    assert vendor.most_inside == 7


async def test_a_stop_finishes_what_is_under_way(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """Told to stop, a worker claims nothing more, but what it has in hand ends properly and is written down."""
    vendor.open.clear()
    await enqueue(db, to_many(40))
    bell, stop = Bell(db), asyncio.Event()
    rules = ruled(concurrency=8, timeout=5, lease=20)
    slow = Post(vendor.url, session, timeout=5)
    running = asyncio.create_task(Worker(rules, db, carriers(slow), bell).run(database_url, stop))
    await until(lambda: vendor.inside.total() == 8)
    await until(lambda: alive(db))  # its first beat does not wait for the first claims, nor they for it
    stop.set()
    vendor.open.set()
    await running
    await bell.close()
    assert await statuses(db) == {"sent": 8, "queued": 32}
    assert await db.fetchval("select count(*) from deliveries where state = 'claimed'") == 0
    assert not await alive(db)


async def test_a_channel_without_a_provider_ends_as_a_dead_letter(
    db: Database, database_url: str, post: Post
) -> None:
    """What no configured provider can carry does not wait for ever: it fails, names the reason, can be retried."""
    unroutable = _metric("invalid_routing")
    await enqueue(db, [outbound(channel="email", sender="a@example.com", recipient="b@example.com")])
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert await db.fetchval("select error_code from messages") == "no_provider"
    assert await db.fetchval("select code from dead_letters") == "no_provider"
    assert _metric("invalid_routing") == unroutable + 1
