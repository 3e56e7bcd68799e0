"""What is given up can be seen, explained and tried again; what still waits can be taken back."""

import asyncio
from uuid import UUID

import pytest

from parley.core.errors import Conflict, NotFound
from parley.core.ids import new_id
from parley.core.message import StatusEvent
from parley.db.pool import Database
from parley.delivery import dead
from parley.messages.status import Report, apply
from tests.delivery.stage import carriers, drained, enqueue, history, ruled, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor
from tests.drafts import outbound


async def given_up(db: Database, database_url: str, vendor: Vendor, post: Post, count: int = 1) -> list[str]:
    """Messages that failed as often as they may."""
    vendor.habit = "error"
    ids = await enqueue(db, to_many(count))
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    vendor.habit = "ok"
    return ids


async def test_retries_end_in_a_dead_letter(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """After the last retry the message fails with the provider's code, and its whole story is kept."""
    [message_id] = await given_up(db, database_url, vendor, post)
    assert await history(db, message_id) == [("post", "unavailable", "E500")] * 4
    [letter], cursor = await dead.letters(db, 1, 10)
    assert cursor is None
    assert (str(letter.message_id), letter.code, letter.attempts) == (message_id, "E500", 4)
    assert letter.error == "as told: error"
    assert await statuses(db) == {"failed": 1}


async def test_dead_letters_come_in_pages(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Page after page shows every dead letter once, the newest message first."""
    ids = await given_up(db, database_url, vendor, post, count=5)
    shown: list[str] = []
    cursor: UUID | None = None
    for _ in range(3):
        page, cursor = await dead.letters(db, 1, 2, cursor)
        shown += [str(letter.message_id) for letter in page]
    assert cursor is None
    assert shown == sorted(ids, reverse=True)


async def test_a_retry_by_hand_begins_anew(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Tried again, the message is queued for everybody to see, has all its retries, and its history goes on."""
    ids = await given_up(db, database_url, vendor, post, count=2)
    assert await dead.retry(db, 1, [*ids, new_id(), "no id at all"]) == ids
    assert await statuses(db) == {"queued": 2}
    assert await dead.letters(db, 1, 10) == ([], None)
    vendor.script.extend(["error"] * 2)
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert await statuses(db) == {"sent": 2}
    told = await db.fetch("select status from events where message_id = $1::uuid order by xid, id", ids[0])
    assert [event["status"] for event in told] == ["queued", "failed", "queued", "sent"]
    outcomes = [outcome for message_id in ids for _, outcome, _ in await history(db, message_id)]
    assert outcomes.count("unavailable") == 10
    assert outcomes.count("accepted") == 2


async def test_two_retries_by_hand_make_one_delivery(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Pressing the button twice at once sends once."""
    [message_id] = await given_up(db, database_url, vendor, post)
    answers = await asyncio.gather(*(dead.retry(db, 1, [message_id]) for _ in range(8)))
    assert sorted(map(len, answers)) == [0] * 7 + [1]
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    assert vendor.counts == {message_id: 1}


async def test_old_reports_do_not_touch_a_retry(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """A report on the former attempt, repeated after the retry, neither fails the new one nor takes its place."""
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    failure = StatusEvent(
        status="undelivered",
        vendor_status="bounce",
        provider_message_id="v1",
        message_id=message_id,
        code="550",
    )
    await apply(db, [Report(1, "post", failure)])
    assert await dead.retry(db, 1, [message_id]) == [message_id]
    await apply(db, [Report(1, "post", failure)] * 3)
    assert await statuses(db) == {"queued": 1}
    async with working(db, database_url, carriers(post)):
        await until(lambda: drained(db))
    await apply(db, [Report(1, "post", failure)])
    assert await statuses(db) == {"sent": 1}
    assert vendor.counts == {message_id: 2}


async def test_a_queued_message_can_be_taken_back(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Cancelled before its turn it is never sent, and the messages behind it go on."""
    first, second, third = await enqueue(db, [outbound(body=str(n)) for n in range(3)])
    vendor.open.clear()
    async with working(db, database_url, carriers(post)):
        await until(lambda: vendor.inside.total() == 1)
        await until(lambda: db.fetchval("select count(*) = 2 from deliveries where state = 'behind'"))
        await dead.cancel(db, 1, second)
        vendor.open.set()
        await until(lambda: drained(db))
    assert [taken.message_id for taken in vendor.taken] == [first, third]
    assert await statuses(db) == {"sent": 2, "canceled": 1}


async def test_either_the_worker_has_it_or_it_is_cancelled(
    db: Database, database_url: str, vendor: Vendor, post: Post
) -> None:
    """Cancelling against a running worker: what was cancelled never reached the provider, the rest did."""
    ids = await enqueue(db, to_many(120))
    canceled = []
    async with working(db, database_url, carriers(post), ruled(batch=8)):
        for message_id in reversed(ids):
            try:
                await dead.cancel(db, 1, message_id)
                canceled.append(message_id)
            except Conflict:
                pass
        await until(lambda: drained(db))
    assert canceled
    assert vendor.counts == dict.fromkeys(set(ids) - set(canceled), 1)
    assert (await statuses(db))["canceled"] == len(canceled)


async def test_what_a_provider_may_have_cannot_be_cancelled(db: Database) -> None:
    """A message in doubt is no longer ours to take back; one that does not exist is not found."""
    [message_id] = await enqueue(db, to_many(1))
    await db.execute(
        "update deliveries set phase = 'ask', attempts = 1, doubt_since = now(), provider = 'post'"
    )
    with pytest.raises(Conflict):
        await dead.cancel(db, 1, message_id)
    for nobody in (new_id(), "no id at all"):
        with pytest.raises(NotFound):
            await dead.cancel(db, 1, nobody)
    with pytest.raises(NotFound):
        await dead.cancel(db, 2, message_id)
