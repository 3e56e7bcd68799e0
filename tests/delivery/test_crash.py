"""What survives a dead worker: nothing is lost, nothing is sent blindly twice, nobody settles what is not his."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession

from parley.core.outcome import Accepted, Unavailable
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.attempt import attempt
from parley.delivery.claimed import Claimed
from parley.delivery.queue import Route
from parley.delivery.results import Released, Result
from parley.delivery.verdict import Case, Verdict, judge
from tests.delivery.stage import RULES, carriers, drained, enqueue, history, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor

_ROUTES = [Route(channel, 0, 1, "post", 100, None) for channel in ("sms", "mms")]


async def take(db: Database, lease: float = 5.0) -> list[Claimed]:
    """Claim everything that is ready."""
    claimed, _ = await queue.claim(db, _ROUTES, 100, 0, lease, 0.0)
    return claimed


def end(claimed: Claimed, result: Result) -> Verdict:
    """The verdict on a result that came after a moment."""
    return judge(Case(claimed=claimed, began=0.0, ended=0.1, can_look_up=True, rules=RULES, dice=0.5), result)


@asynccontextmanager
async def process(database_url: str, vendor_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own."""
    command = (sys.executable, "-m", "tests.delivery.work", database_url, vendor_url)
    started = await asyncio.create_subprocess_exec(*command)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """SIGKILL in the middle of requests, half of which had arrived: another worker finishes, each message once."""
    vendor.script.extend(["ok"] * 20 + ["silence", "lost"] * 8)
    ids = await enqueue(db, to_many(60))
    async with process(database_url, vendor.url) as doomed:
        await until(lambda: len(vendor.requests) >= 36)
        os.kill(doomed.pid, signal.SIGKILL)
        await doomed.wait()
    assert not await drained(db)
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db), 30)
    assert vendor.counts == dict.fromkeys(ids, 1)
    assert await statuses(db) == {"sent": 60}
    codes = await db.fetch("select distinct code from attempts where outcome = 'unknown'")
    assert [row["code"] for row in codes] == ["absent"]


async def test_a_term_signal_ends_a_worker_without_a_doubt(
    db: Database, database_url: str, vendor: Vendor
) -> None:
    """SIGTERM while requests are under way: they end, are written down, and nothing stays claimed."""
    vendor.open.clear()
    await enqueue(db, to_many(40))
    async with process(database_url, vendor.url) as stopped:
        await until(lambda: vendor.inside.total() > 0)
        os.kill(stopped.pid, signal.SIGTERM)
        vendor.open.set()
        assert await stopped.wait() == 0
    assert await db.fetchval("select count(*) from deliveries where state = 'claimed' or phase = 'ask'") == 0
    assert (await statuses(db))["sent"] == len(vendor.taken)


async def test_a_lost_claim_is_written_down_as_unknown(db: Database) -> None:
    """When a lease ends unsettled, the history gets an unknown attempt and the message goes into doubt."""
    [message_id] = await enqueue(db, to_many(1))
    await take(db, lease=0.0)
    assert await queue.take_back(db) == 1
    assert await history(db, message_id) == [("post", "unknown", "worker_lost")]
    assert await statuses(db) == {"sending": 1}
    assert await db.fetchval("select phase from deliveries") == "ask"


async def test_who_lost_the_lease_cannot_settle_what_was_taken_over(db: Database) -> None:
    """A late and uncertain end of the first worker changes nothing that the second one has in hand."""
    await enqueue(db, to_many(1))
    [first] = await take(db, lease=0.0)
    await queue.take_back(db)
    [second] = await take(db)
    assert await queue.settle(db, [end(first, Unavailable("late"))]) == []
    assert await db.fetchval("select claimed_by from deliveries") == second.claim
    [settled] = await queue.settle(db, [end(second, Accepted("v1"))])
    assert settled.gone
    assert await db.fetchval("select provider_message_id from messages") == "v1"


async def test_late_certainty_resolves_the_doubt_of_the_others(db: Database) -> None:
    """The first worker knows after all that the provider took it: that is no doubt any more, for nobody."""
    [message_id] = await enqueue(db, to_many(1))
    [first] = await take(db, lease=0.0)
    await queue.take_back(db)
    [second] = await take(db)
    [settled] = await queue.settle(db, [end(first, Accepted("v1"))])
    assert settled.gone
    assert await queue.settle(db, [end(second, Accepted("v1"))]) == []
    assert await statuses(db) == {"sent": 1}
    assert await history(db, message_id) == [("post", "accepted", None)]


async def test_late_certainty_does_not_touch_a_new_attempt(db: Database) -> None:
    """Once the message is on its way again, the late end only corrects the history of its own attempt."""
    [message_id] = await enqueue(db, to_many(1))
    [first] = await take(db, lease=0.0)
    await queue.take_back(db)
    await db.execute("update deliveries set phase = 'resend'")
    [second] = await take(db)
    assert second.attempts == 2
    assert await queue.settle(db, [end(first, Accepted("v1"))]) == []
    assert await db.fetchval("select claimed_by from deliveries") == second.claim
    assert await history(db, message_id) == [("post", "accepted", None)]


async def test_nothing_is_sent_when_the_lease_is_nearly_over(
    db: Database, vendor: Vendor, post: Post
) -> None:
    """A worker that was asleep longer than its lease gives the delivery back, unspent, instead of sending."""
    await enqueue(db, to_many(1))
    [claimed] = await take(db, lease=1.0)

    async def siblings(claimed: Claimed) -> frozenset[str]:
        return frozenset()

    provider = carriers(post).by_name["post"]
    result = await attempt(claimed, provider, RULES, siblings)
    assert result == Released()
    assert vendor.requests == []
    await queue.settle(db, [end(claimed, result)])
    [again] = await take(db)
    assert again.attempts == 1


async def test_the_claim_is_committed_before_the_request_leaves(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """At the moment the provider hears from us, the intent is in the database for everybody to see."""
    vendor.open.clear()
    await enqueue(db, to_many(3))
    async with working(db, database_url, carriers(post)):
        await until(lambda: vendor.inside.total() == 3)
        rows = await db.fetch("select state, attempts, provider from deliveries")
        assert {tuple(row) for row in rows} == {("claimed", 1, "post")}
        vendor.open.set()
        await until(lambda: drained(db))


async def test_an_end_with_odd_details_is_still_written_down(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """A provider that gives two messages one id: both are sent, and neither is lost over it."""

    class Careless(Post):
        async def send(self, message: Any) -> Accepted:
            await super().send(message)
            return Accepted("always the same")

    ids = await enqueue(db, to_many(5))
    async with working(db, database_url, carriers(Careless(vendor.url, session))):
        await until(lambda: drained(db))
    assert vendor.counts == dict.fromkeys(ids, 1)
    assert await statuses(db) == {"sent": 5}
    assert await db.fetchval("select count(provider_message_id) from messages") == 1
