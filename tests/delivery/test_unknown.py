"""When nobody knows whether the provider has a message: ask, wait for its word, and only then decide."""

import msgspec
import pytest
from aiohttp import ClientSession

from parley.core.message import StatusEvent
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.queue import Route
from parley.messages.status import Report, apply
from tests.delivery.stage import carriers, drained, enqueue, history, ruled, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor
from tests.drafts import outbound

PATIENT = ruled(unknown_wait=600)


def told(message_id: str, status: str, **more: str) -> Report:
    """What a provider reports of a message by our own id."""
    event = {"provider_message_id": None, "vendor_status": status} | more
    return Report(1, "post", StatusEvent(status=status, message_id=message_id, **event))  # type: ignore[arg-type]


async def in_doubt(db: Database) -> bool:
    """Whether the one message waits for certainty."""
    return bool(
        await db.fetchval("select exists (select from deliveries where phase = 'ask' and state = 'waiting')")
    )


async def test_silence_after_acceptance_is_found_and_not_sent_again(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """The provider took the message and its answer was lost: a look-up finds it, and it stays one message."""
    vendor.script.append("silence")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}
    assert await db.fetchval("select provider_message_id from messages") == vendor.taken[0].vendor_id
    assert await history(db, message_id) == [("post", "accepted", None)]
    shown = await db.fetch("select status from events order by xid, id")
    assert [event["status"] for event in shown] == ["queued", "sending", "sent"]


async def test_what_the_provider_lacks_is_sent_again_only_after_a_grace(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """An absence is proof once it has outlasted the request and the lag of the list; then the message goes again."""
    vendor.script.append("lost")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post), ruled(timeout=0.5, grace=1.0)):
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}
    assert len(vendor.looked_up) >= 2
    assert await history(db, message_id) == [("post", "unknown", "absent"), ("post", "accepted", None)]
    gap = await db.fetchval("select max(started_at) - min(started_at) from attempts")
    assert gap.total_seconds() >= 1.5


async def test_a_list_that_lags_does_not_make_a_duplicate(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A message that shows in the provider's list only later is found within the grace, and not sent again."""
    vendor.script.append("silence")
    vendor.listing = False
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post), ruled(grace=20)):
        await until(lambda: vendor.looked_up)
        vendor.listing = True
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}


async def test_a_failed_look_up_is_repeated(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """While the provider cannot be asked, the message is neither sent again nor given up."""
    vendor.script.append("silence")
    vendor.down = True
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post)):
        await until(lambda: len(vendor.looked_up) >= 3)
        vendor.down = False
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}


async def test_look_ups_that_never_work_end_in_the_policy(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Asking in vain is bounded in time; then the policy decides as if there were nobody to ask."""
    vendor.script.append("silence")
    vendor.down = True
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post), ruled(unknown_policy="at-most-once", asking=1.5)):
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}
    assert len(vendor.looked_up) > 4
    assert await history(db, message_id) == [("post", "unknown", "unknown_outcome")]


@pytest.mark.parametrize(
    ("policy", "sent", "status", "attempts"),
    [
        ("at-least-once", 2, "sent", [("post", "unknown", "sent_again"), ("post", "accepted", None)]),
        ("at-most-once", 1, "failed", [("post", "unknown", "unknown_outcome")]),
    ],
)
async def test_without_a_look_up_the_policy_decides_and_the_history_names_it(
    db: Database,
    database_url: str,
    vendor: Vendor,
    session: ClientSession,
    policy: str,
    sent: int,
    status: str,
    attempts: list[tuple[str, str, str | None]],
) -> None:
    """Nobody can be asked and no report comes: at-least-once sends again, at-most-once fails, both say so."""
    vendor.script.append("silence")
    blind = Post(vendor.url, session, can_look_up=False)
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(blind), ruled(unknown_policy=policy)):
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: sent}
    assert await statuses(db) == {status: 1}
    assert await history(db, message_id) == attempts
    code = await db.fetchval("select error_code from messages")
    assert code == (None if status == "sent" else "unknown_outcome")


async def test_a_report_resolves_the_doubt_at_once(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """While we wait, a report that carries our id proves acceptance: no second message, the history is corrected."""
    vendor.script.append("silence")
    blind = Post(vendor.url, session, can_look_up=False)
    [message_id, after_it] = await enqueue(db, [outbound(), outbound(body="and then")])
    async with working(db, database_url, carriers(blind), PATIENT):
        await until(lambda: in_doubt(db))
        applied = await apply(db, [told(message_id, "sending", provider_message_id="v1")])
        assert (applied.changed, applied.settled) == (1, 1)
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1, after_it: 1}
    rows = await db.fetch("select status, provider_message_id from messages where id = $1::uuid", message_id)
    assert [tuple(row) for row in rows] == [("sent", "v1")]
    assert await history(db, message_id) == [("post", "accepted", None)]


async def test_a_report_during_the_attempt_settles_its_unknown_end(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """The provider reports while our request still waits for an answer that never comes: there is no doubt."""
    vendor.script.append("silence")
    blind = Post(vendor.url, session, can_look_up=False, timeout=1.0)
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(blind), ruled(unknown_wait=600, timeout=1.0)):
        await until(lambda: vendor.taken)
        await apply(db, [told(message_id, "delivered", provider_message_id="v1")])
        assert not await drained(db)
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}
    assert await statuses(db) == {"delivered": 1}


async def test_a_reported_failure_ends_the_doubt_as_a_failure(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """The provider had it and could not deliver it: failed, with its code, and not sent again."""
    vendor.script.append("silence")
    blind = Post(vendor.url, session, can_look_up=False)
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(blind), PATIENT):
        await until(lambda: in_doubt(db))
        await apply(db, [told(message_id, "undelivered", code="30003")])
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}
    row = await db.fetchrow("select status, error_code from messages")
    assert row is not None
    assert tuple(row) == ("undelivered", "30003")


async def test_a_report_whose_delivery_is_still_queued_keeps_it_from_being_sent(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """The report was stored and its reporter died before it removed the delivery: the next claim sees it."""
    [message_id] = await enqueue(db, to_many(1))
    await db.execute(
        "update messages set status = 'delivered', provider = 'post', provider_message_id = 'v1'"
    )
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert vendor.requests == []
    assert await statuses(db) == {"delivered": 1}
    assert await history(db, message_id) == [("post", "accepted", None)]


async def test_a_look_up_knows_the_other_messages_of_the_conversation(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A provider that is asked by addresses and text is told which of its messages are not the one."""
    await enqueue(db, [outbound(), outbound(), outbound(recipient="+18046660000")])
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    await enqueue(db, [outbound()])
    claimed, _ = await queue.claim(db, [Route("sms", 0, 1, "post", 9, None)], 9, 0, 5.0, 0.0)
    [doubtful] = [msgspec.structs.replace(one, doubt_since=one.claimed_at) for one in claimed]
    same_person = {taken.vendor_id for taken in vendor.taken if taken.recipient != "+18046660000"}
    assert await queue.siblings(db, doubtful) == same_person


async def test_the_providers_word_overrules_our_giving_up(
    db: Database, database_url: str, vendor: Vendor, session: ClientSession
) -> None:
    """At-most-once gave a message up; then the provider reports it delivered: that is what counts."""
    vendor.script.append("silence")
    blind = Post(vendor.url, session, can_look_up=False)
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(blind), ruled(unknown_policy="at-most-once")):
        await until(lambda: drained(db))
    assert await statuses(db) == {"failed": 1}
    await apply(db, [told(message_id, "delivered")])
    row = await db.fetchrow("select status, error_code, error from messages")
    assert row is not None
    assert tuple(row) == ("delivered", None, None)
    assert await db.fetchval("select count(*) from dead_letters") == 0


async def test_only_one_message_of_a_conversation_is_ever_in_doubt(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Five equal texts to one person, every first request lost: each reaches him once, in order."""
    vendor.script.extend(["silence", "lost", "silence", "lost", "silence"])
    ids = await enqueue(db, [outbound() for _ in range(5)])
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db), 40)
    assert [taken.message_id for taken in vendor.taken] == ids
