"""The breaker that all workers share: it opens once, holds nobody else up, loses nothing, and heals by probes."""

from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession

from parley import metrics
from parley.core.breaker import Limits
from parley.db.pool import Database
from parley.delivery import overview
from parley.delivery.health import Health
from parley.messages import minutes
from tests.delivery.stage import carriers, drained, enqueue, ruled, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor
from tests.drafts import outbound

LIMITS = Limits(threshold=5, open_for=timedelta(seconds=0.6), patience=timedelta(seconds=2))
RULES = ruled(breaker=LIMITS, max_retries=1000, concurrency=4)


_WENT_ROUND = (
    "select exists (select from pg_stat_activity where query like '%dead workers held%' and query_start > $1)"
)


async def state(db: Database) -> str | None:
    """The state of the only breaker."""
    found: str | None = await db.fetchval("select state from breakers where provider = 'post'")
    return found


def _transitions() -> int:
    return metrics.as_json()["provider_sms_mms_breaker_transitions"]


async def test_it_opens_once_for_two_workers_and_heals(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Failures of both workers add up to one opening; probes close it; nothing is lost and nothing doubled."""
    vendor.habit = "error"
    ids = await enqueue(db, to_many(40))
    before = _transitions()
    async with working(db, database_url, carriers(post), RULES, workers=2):
        await until(lambda: state_is(db, "open"))
        assert _transitions() == before + 1
        vendor.habit = "ok"
        await until(lambda: drained(db))
        await until(lambda: state_is(db, "closed"))
    assert vendor.counts == dict.fromkeys(ids, 1)
    assert await statuses(db) == {"sent": 40}
    assert _transitions() == before + 3


async def state_is(db: Database, wanted: str) -> bool:
    """Whether the breaker has this state."""
    return await state(db) == wanted


async def test_while_it_is_open_no_row_is_touched_and_no_attempt_spent(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """What waits for an open breaker stays exactly as it was stored."""
    await db.execute("insert into breakers (provider, state, failures, until) "
                     "values ('post', 'open', 5, now() + interval '1 hour')")  # fmt: skip
    await enqueue(db, to_many(30))
    untouched = "select xmin::text, ctid::text from deliveries order by position"
    before = await db.fetch(untouched)
    async with working(db, database_url, carriers(post), RULES):
        await until(lambda: db.fetchval("select count(*) from workers"))
        await until(
            lambda: db.fetchval("select count(*) > 0 from pg_stat_activity where query like '%visit%'")
        )
    assert await db.fetch(untouched) == before
    assert vendor.requests == []


async def test_half_open_lets_only_a_few_probes_through(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """While probes are out, nothing else goes to the provider, however many workers there are."""
    await db.execute(
        "insert into breakers (provider, state, failures, until) values ('post', 'open', 5, now())"
    )
    vendor.open.clear()
    await enqueue(db, to_many(30))
    slow = Post(vendor.url, session, timeout=5)
    async with working(
        db, database_url, carriers(slow), ruled(timeout=5, lease=20, breaker=LIMITS), workers=2
    ):
        await until(lambda: vendor.inside.total() >= 2)
        assert await state(db) == "half_open"
        assert await db.fetchval("select count(*) from deliveries where state = 'claimed'") == 2
        vendor.open.set()
        await until(lambda: drained(db))
    assert await state(db) == "closed"


async def test_a_failed_probe_opens_it_again(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """One failure in half-open is enough; the others wait for another round."""
    vendor.habit = "error"
    await db.execute(
        "insert into breakers (provider, state, failures, until) values ('post', 'open', 5, now())"
    )
    await enqueue(db, to_many(30))
    async with working(db, database_url, carriers(post), RULES):
        await until(lambda: vendor.requests)
        await until(lambda: state_is(db, "open"))
        assert len(vendor.requests) <= 2 * RULES.probes
        assert await db.fetchval("select max(attempts) from deliveries") <= 2


async def test_an_idle_probe_does_not_block_the_next_message(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A breaker whose time has come while the queue was empty lets the first message through at once."""
    await db.execute(
        "insert into breakers (provider, state, failures, until) values ('post', 'open', 5, now())"
    )
    patient = ruled(breaker=Limits(5, timedelta(seconds=60), timedelta(seconds=60)))
    async with working(db, database_url, carriers(post), patient):
        await until(lambda: state_is(db, "half_open"))
        await enqueue(db, to_many(1))
        await until(lambda: drained(db), 5)
    assert len(vendor.taken) == 1


async def test_no_turn_to_probe_is_taken_without_room_for_it(
    db: Database, database_url: str, vendor: Vendor, post: Post, session: ClientSession
) -> None:
    """A worker that waits for the database to write down what has ended leaves the probe to others."""
    email = Post(vendor.url, session, name="mail", channels=["email"])
    mails = [
        outbound(channel="email", sender="a@example.com", recipient=f"{name}@example.com") for name in "bc"
    ]
    await enqueue(db, mails)
    patient = ruled(concurrency=2, breaker=Limits(5, timedelta(seconds=60), timedelta(seconds=60)))
    async with working(db, database_url, carriers(post, email), patient):
        async with db.connection() as other, other.transaction():
            await other.fetch("select from messages for update")
            await until(lambda: len(vendor.taken) == 2)
            due = await db.fetchval(
                "insert into breakers (provider, state, failures, until) values ('post', 'open', 5, now()) returning until"
            )
            await until(lambda: db.fetchval(_WENT_ROUND, due + timedelta(seconds=1)))
            assert await state(db) == "open"
        await until(lambda: drained(db))
        await until(lambda: state_is(db, "half_open"))


async def test_a_throttling_provider_is_not_ill(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """429 is neutral: a hundred of them open nothing."""
    vendor.script.extend(["limit"] * 60)
    await enqueue(db, to_many(20))
    async with working(db, database_url, carriers(post), RULES):
        await until(lambda: drained(db))
    assert await state(db) in (None, "closed")
    assert await statuses(db) == {"sent": 20}


async def test_the_other_channel_is_not_slowed(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """One provider keeps silent on all its places; email goes on as if nothing were wrong."""
    sms = Post(vendor.url, session, timeout=5)
    email = Post(vendor.url, session, name="mail", channels=["email"], timeout=5)
    vendor.open.clear()
    await enqueue(db, to_many(30))
    rules = ruled(timeout=5, lease=20, concurrency=8)
    async with working(db, database_url, carriers(sms, email), rules):
        await until(lambda: vendor.inside.total() == 8)
        await enqueue(db, [outbound(channel="email", sender="a@example.com", recipient="b@example.com")])
        await until(lambda: vendor.inside["b@example.com"], 5)
        vendor.open.set()
        await until(lambda: drained(db))


async def test_a_success_of_a_healthy_provider_writes_nothing(db: Database) -> None:
    """Recording is free while all is well: no row of the breakers appears or changes."""
    health = Health(db, {"post": "sms_mms"}, LIMITS)
    await health.record("post", [False] * 100, None)
    assert await db.fetchval("select count(*) from breakers") == 0


async def test_a_success_forgets_the_failures_before_it(db: Database) -> None:
    """Only failures in a row count, whichever worker had them."""
    one, other = (Health(db, {"post": "sms_mms"}, LIMITS) for _ in range(2))
    await one.record("post", [True] * 4, "first")
    await other.refresh()
    await other.record("post", [False], None)
    await one.record("post", [True] * 4, "second")
    assert await state(db) == "closed"
    await other.record("post", [True], "third")
    assert await state(db) == "open"


async def test_the_overview_shows_health_and_queues(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Breaker, last error, depth and age of the queue, and the worker, for the operations page."""
    vendor.habit = "error"
    await enqueue(db, to_many(10))
    async with working(
        db, database_url, carriers(post), ruled(breaker=Limits(3, timedelta(hours=1), timedelta(1)))
    ):
        await until(lambda: state_is(db, "open"))
        fresh, seen = await overview.providers(db, ["fresh", "post"], [])
        assert (seen.state, seen.last_error) == ("open", "as told: error")
        assert (fresh.state, fresh.last_error) == ("closed", None)
        assert len(await overview.workers(db)) == 1
    await enqueue(db, [outbound(recipient="+18046660000")])
    depths = {depth.channel: depth for depth in await overview.queues(db)}
    assert depths["sms"].claimed == 0
    assert depths["sms"].ready + depths["sms"].waiting == 11
    assert depths["sms"].ready > 0
    assert depths["sms"].oldest_at is not None
    assert (depths["email"].ready, depths["email"].oldest_at) == (0, None)
    assert await overview.workers(db) == []


async def test_the_overview_tells_what_became_of_an_hour_of_messages(db: Database) -> None:
    """Read is delivered, undelivered has failed, and what is longer ago does not count."""
    for status, ago, messages in (
        ("sent", 0, 5), ("delivered", 1, 3), ("read", 59, 1), ("failed", 2, 1), ("undelivered", 3, 1),
        ("queued", 0, 9), ("delivered", 61, 100),
    ):  # fmt: skip
        await db.execute(
            """
            insert into minutes (account_id, minute, status, channel, provider, messages)
            values (1, date_trunc('minute', now()) - $2 * interval '1 minute', $1, 'sms', 'post', $3)
            """,
            status, ago, messages,
        )  # fmt: skip
    hour = await minutes.hour(db, 1, datetime.now(UTC))
    fresh, seen = await overview.providers(db, ["fresh", "post"], hour)
    assert (seen.sent, seen.delivered, seen.failed) == (5, 4, 2)
    assert (fresh.sent, fresh.delivered, fresh.failed) == (0, 0, 0)
