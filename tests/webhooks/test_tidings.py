"""What vendors tell us is kept and merged in one commit, and one odd report does not spoil its neighbours."""

import asyncio

from parley.core.webhook import Webhook
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.webhooks.raw import RawEvent, raw_event
from parley.webhooks.tidings import Tidings, tidings_batcher
from tests.messages.test_status import report, sent, state


def request() -> RawEvent:
    """A request for the record."""
    return raw_event("post", Webhook(method="POST", url="/", headers={}, body=b"report"))


async def test_a_report_and_its_request_are_one_commit(db: Database) -> None:
    """Neither can be there without the other, and the disk is waited for once."""
    (message,) = await sent(db, "v1")
    bell = Bell(db)
    batcher = tidings_batcher(db, bell)
    await batcher.put(Tidings(request(), [report("v1", "delivered")]))
    await bell.close()
    raw, told = (
        await db.fetchval("select array_agg(xmin::text) from inbound_events"),
        await db.fetchval(
            "select xmin::text from events where message_id = $1::uuid and status = 'delivered'", message
        ),
    )
    assert raw == [told]


async def test_a_request_that_tells_nothing_is_kept(db: Database) -> None:
    """It is what a person looks at when something is missing."""
    bell = Bell(db)
    batcher = tidings_batcher(db, bell)
    await asyncio.gather(*(batcher.put(Tidings(request())) for _ in range(3)))
    await bell.close()
    assert await db.fetchval("select count(*) from inbound_events") == 3


async def test_one_odd_report_does_not_spoil_its_neighbours(db: Database) -> None:
    """Two messages cannot share a provider's id: the second goes without, and both have their status."""
    one, _ = await sent(db, "v1", "v2")
    await db.execute(
        "update messages set provider_message_id = null, provider = null where id <> $1::uuid", one
    )
    bell = Bell(db)
    batcher = tidings_batcher(db, bell)
    other = str(await db.fetchval("select id from messages where id <> $1::uuid", one))
    await asyncio.gather(
        batcher.put(Tidings(request(), [report("v1", "delivered", message_id=one)])),
        batcher.put(Tidings(request(), [report("v1", "delivered", message_id=other)])),
    )
    await batcher.close()
    await bell.close()
    assert (await state(db, one))[0] == (await state(db, other))[0] == "delivered"
