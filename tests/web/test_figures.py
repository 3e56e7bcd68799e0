"""The operations page's numbers."""

import time
from datetime import UTC, datetime, timedelta

from parley.db.pool import Database
from parley.web.figures import Minute, figures

_NOW = datetime(2026, 1, 1, 12, 30, 17, tzinfo=UTC)


async def _count(db: Database, ago: int, status: str, messages: int, provider: str = "twilio") -> None:
    await db.execute(
        "insert into minutes values (1, $1, $2, 'sms', $3, $4)",
        _NOW.replace(second=0) - timedelta(minutes=ago), status, provider, messages,
    )  # fmt: skip


async def test_an_hour_has_sixty_minutes(db: Database) -> None:
    """The quiet ones too, so that a chart has its shape."""
    await _count(db, 0, "received", 3, "")
    await _count(db, 59, "queued", 2)
    await _count(db, 60, "queued", 9)
    shown = await figures(db, 1, ["twilio"], _NOW)
    assert len(shown.minutes) == 60
    assert shown.minutes[-1] == Minute(at=_NOW.replace(second=0), received=3)
    assert shown.minutes[0].ordered == 2
    assert sum(minute.ordered + minute.received for minute in shown.minutes[1:-1]) == 0


async def test_every_provider_has_its_outcomes(db: Database) -> None:
    """A provider that is not configured any more has none to show."""
    await _count(db, 1, "sent", 5)
    await _count(db, 2, "delivered", 4)
    await _count(db, 3, "failed", 1)
    await _count(db, 3, "undelivered", 2)
    await _count(db, 3, "sent", 1, "former")
    shown = await figures(db, 1, ["twilio", "sendgrid"], _NOW)
    assert [(one.provider, one.sent, one.delivered, one.failed) for one in shown.providers] == [
        ("sendgrid", 0, 0, 0),
        ("twilio", 5, 4, 3),
    ]
    assert [queue.channel for queue in shown.queues]
    assert shown.dead_letters == 0


async def test_figures_are_quick(db: Database) -> None:
    """At any number of messages: nothing is counted but two days of minutes, a queue's beginning and dead letters."""
    for status in ("received", "queued", "sent", "delivered", "failed"):
        await db.execute(
            "insert into minutes select 1, $1::timestamptz - n * interval '1 minute', $2, 'sms', p, 100 "
            "from generate_series(0, 2880) n, unnest('{twilio,telnyx}'::text[]) p",
            _NOW.replace(second=0), status,
        )  # fmt: skip
    await db.execute(
        "insert into dead_letters select 1, gen_random_uuid(), now(), 3, 'x' from generate_series(1, 20000)"
    )
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        shown = await figures(db, 1, ["twilio", "telnyx"], _NOW)
        spent.append(time.perf_counter() - began)
    assert shown.dead_letters == 10_000
    assert min(spent) < 0.05
