"""What is counted by the minute is what happened, and costs nobody anything."""

from collections import Counter
from datetime import UTC, datetime

from parley.db.pool import Database
from parley.messages import minutes
from parley.messages.store import store
from tests.drafts import inbound, outbound
from tests.following import catch_up


async def _counts(db: Database) -> Counter[tuple[str, str, str]]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for count in await minutes.hour(db, 1, datetime.now(UTC)):
        assert count.minute.second == count.minute.microsecond == 0
        counted[count.status, count.channel, count.provider] += count.messages
    return counted


async def _told(db: Database, message_id: str, *statuses: str) -> None:
    for status in statuses:
        await db.execute(
            "insert into events (account_id, kind, message_id, status) values (1, 'message.status', $1, $2)",
            message_id, status,
        )  # fmt: skip


async def test_every_message_is_counted_once(db: Database) -> None:
    """By what it is, and by what its provider said of it; going round the queue is no news."""
    drafts = [outbound() for _ in range(3)]
    await store(db, [*drafts, inbound("a"), inbound("b"), inbound("a")])
    await db.execute("update messages set provider = 'twilio' where direction = 'outbound'")
    await catch_up(db)
    await _told(db, drafts[0].id, "sending", "sent", "delivered")
    await _told(db, drafts[1].id, "sending", "failed", "queued", "sending", "sent")
    await catch_up(db)
    assert await _counts(db) == {
        ("received", "sms", "messaging"): 2,
        ("queued", "sms", "twilio"): 3,
        ("sent", "sms", "twilio"): 2,
        ("delivered", "sms", "twilio"): 1,
        ("failed", "sms", "twilio"): 1,
    }
    assert await catch_up(db) == 0


async def test_old_minutes_are_forgotten(db: Database) -> None:
    """Nobody looks at them, and they would never end."""
    await db.execute(
        "insert into minutes select 1, now() - n * interval '1 hour', 'sent', 'sms', 'twilio', 1 from generate_series(1, 72) n"
    )
    await store(db, [first := inbound("a")])
    await store(db, [inbound("b")])
    await db.execute("update events set at = at - interval '1 minute' where message_id = $1", first.id)
    await catch_up(db)
    assert await db.fetchval("select count(*) from minutes where status = 'sent'") in (47, 48)
