"""Statuses merge by rank: repetition and disorder change nothing, and no report falls between two commits."""

import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, get_args
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.core.message import Status, StatusEvent
from parley.core.outcome import Accepted
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.queue import Route
from parley.delivery.verdict import Case, judge
from parley.messages.status import Key, Report, adopt, apply
from parley.messages.store import store
from tests.delivery.stage import RULES
from tests.drafts import inbound, outbound

NOON = datetime(2024, 11, 1, 12, tzinfo=UTC)
_people = count(2_000_000)
ROUTES = [Route("sms", 0, 1, "post", 1000, None)]


def report(vendor_id: str | None, status: str | None, **more: Any) -> Report:
    """A provider's word on a message."""
    words = {"vendor_status": status or "odd", "status": status, "provider_message_id": vendor_id}
    return Report(1, "post", StatusEvent(**(words | more)))


async def queued(db: Database, number: int = 1) -> list[str]:
    """Messages to people who have none yet, that wait for delivery."""
    drafts = [outbound(recipient=f"+1804{next(_people):07d}") for _ in range(number)]
    await store(db, drafts)
    return [draft.id for draft in drafts]


async def accept(db: Database, names: dict[str, str]) -> None:
    """Have messages accepted by the provider under these ids, without looking for early reports."""
    claimed, _ = await queue.claim(db, ROUTES, 1000, 0, 60.0, 0.0)
    verdicts = [
        judge(
            Case(claimed=one, began=0.0, ended=0.1, can_look_up=True, rules=RULES, dice=0.5),
            Accepted(names[one.message.id]),
        )
        for one in claimed
        if one.message.id in names
    ]
    await queue.settle(db, verdicts)


async def sent(db: Database, *vendor_ids: str) -> list[str]:
    """Messages that the provider has accepted under these ids."""
    ids = await queued(db, len(vendor_ids))
    await accept(db, dict(zip(ids, vendor_ids, strict=True)))
    return ids


async def state(db: Database, message_id: str) -> tuple[Any, ...]:
    """All that a report can change."""
    row = await db.fetchrow(
        "select status, error_code, error, case when status_rank(status) > 2 then status_at end "
        "from messages where id = $1::uuid",
        message_id,
    )
    assert row is not None
    return tuple(row)


async def waiting(db: Database) -> int:
    """How many reports wait for their message."""
    return int(await db.fetchval("select count(*) from early_statuses"))


_events: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    status=st.sampled_from([status for status in get_args(Status) if status != "received"]),
    occurred_at=st.integers(0, 5).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    code=st.sampled_from([None, "30003", "30008"]),
    detail=st.sampled_from([None, "unreachable", "unknown"]),
)


@given(st.lists(_events, min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_repetition_end_in_the_same_state(
    db: Database, events: list[dict[str, Any]], dice: random.Random
) -> None:
    """In order, shuffled with repeats in odd batches, or with our own commit of the id somewhere in between."""
    names = {message_id: f"v{UUID(message_id).hex}" for message_id in await queued(db, 3)}
    plain, shuffled, early = names
    await accept(db, {plain: names[plain], shuffled: names[shuffled]})
    for event in events:
        await apply(db, [report(names[plain], **event)])
    disorder = dice.choices(events, k=4) + dice.sample(events, len(events))
    cut = dice.randrange(len(disorder))
    await apply(db, [report(names[shuffled], **event) for event in disorder[:cut]])
    await apply(db, [report(names[shuffled], **event) for event in disorder[cut:]])
    await apply(db, [report(names[early], **event) for event in disorder[:cut]])
    await db.execute("update deliveries set state = 'ready'")
    await accept(db, {early: names[early]})
    await adopt(db, [Key(1, "post", names[early])])
    await apply(db, [report(names[early], **event) for event in disorder[cut:]])
    assert await state(db, plain) == await state(db, shuffled) == await state(db, early)
    assert await waiting(db) == 0


async def test_a_status_never_goes_backwards(db: Database) -> None:
    """What was delivered stays delivered, whatever arrives late."""
    [message_id] = await sent(db, "v1")
    for status in ("delivered", "sending", "queued", "sent"):
        await apply(db, [report("v1", status)])
        assert (await state(db, message_id))[0] == "delivered"
    await apply(db, [report("v1", "read")])
    await apply(db, [report("v1", "failed", code="30008")])
    assert (await state(db, message_id))[:2] == ("read", None)


async def test_the_feed_tells_each_change_once(db: Database) -> None:
    """A provider that reports everything three times makes one event a change."""
    [message_id] = await sent(db, "v1")
    for status in ("sent", "delivered", "delivered", "sent", "delivered"):
        applied = await apply(db, [report("v1", status)] * 3)
        assert applied.changed <= 1
    told = await db.fetch(
        "select status from events where message_id = $1::uuid order by xid, id", message_id
    )
    assert [event["status"] for event in told] == ["queued", "sent", "delivered"]


async def test_a_failure_keeps_the_providers_words(db: Database) -> None:
    """Code and text of the failure stand at the message."""
    [message_id] = await sent(db, "v1")
    await apply(db, [report("v1", "undelivered", code="30003", detail="unreachable", occurred_at=NOON)])
    assert await state(db, message_id) == ("undelivered", "30003", "unreachable", NOON)


async def test_a_report_is_found_by_our_id_and_by_the_providers(db: Database) -> None:
    """Either is enough, and a wrong one of ours does not hide the provider's."""
    one, other, third = await sent(db, "v1", "v2", "v3")
    stranger = str(UUID(int=7))
    reports = [
        report(None, "delivered", message_id=one),
        report("v2", "delivered"),
        report("v3", "delivered", message_id=stranger),
    ]
    assert (await apply(db, reports)).changed == 3
    for message_id in (one, other, third):
        assert (await state(db, message_id))[0] == "delivered"


async def test_accounts_and_providers_do_not_mix(db: Database) -> None:
    """An id of another provider, or of another account's message, is somebody else's."""
    await db.execute("insert into accounts (id, name) values (2, 'other')")
    [message_id] = await sent(db, "v1")
    event = StatusEvent(status="read", vendor_status="read", provider_message_id="v1", message_id=message_id)
    await apply(db, [Report(2, "post", event)])
    await apply(
        db, [Report(1, "elsewhere", StatusEvent(status="read", vendor_status="r", provider_message_id="v1"))]
    )
    assert (await state(db, message_id))[0] == "sent"


async def test_an_inbound_message_has_no_delivery_status(db: Database) -> None:
    """A report that names a message which came to us changes nothing."""
    draft = inbound("in1")
    await store(db, [draft])
    await apply(db, [report(None, "failed", message_id=draft.id)])
    assert (await state(db, draft.id))[0] == "received"


async def test_a_report_on_a_message_whose_turn_has_not_come_is_not_believed(db: Database) -> None:
    """Nobody can have been given it; a mistaken report must not take it out of the queue."""
    first, second = outbound(), outbound()
    await store(db, [first, second])
    await apply(db, [report("v1", "delivered", message_id=draft.id) for draft in (first, second)])
    for draft in (first, second):
        assert (await state(db, draft.id))[0] == "queued"
    assert await db.fetchval("select count(*) from deliveries") == 2


async def test_hostile_texts_are_stored_or_ignored(db: Database) -> None:
    """NUL bytes, half characters, endless ids and dates without an offset are no reason for an error."""
    [message_id] = await sent(db, "v1")
    reports = [
        report(
            "v1",
            "failed",
            code="\0" * 500,
            detail="\ud800" + "x" * 5000,
            occurred_at=NOON.replace(tzinfo=None),
        ),
        report("w" * 100_000, "failed", message_id="not an id"),
        report(None, "failed"),
        report("v1", None),
        report("", "read"),
    ]
    await apply(db, reports)
    status, code, error, _ = await state(db, message_id)
    assert status == "failed"
    assert len(code) <= 100
    assert len(error) <= 500
