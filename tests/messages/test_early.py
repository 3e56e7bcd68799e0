"""Reports that overtake our own commit of the provider's id: they wait, and none falls between two commits."""

import asyncio
import random
from typing import Any

from parley.core.outcome import Accepted
from parley.db.pool import Database
from parley.delivery import queue
from parley.delivery.verdict import Case, judge
from parley.messages.status import Key, adopt, apply, sweep
from tests.delivery.stage import RULES
from tests.messages.test_status import ROUTES, accept, queued, report, state, waiting


async def test_reports_before_the_id_wait_and_are_applied_with_it(db: Database) -> None:
    """A provider that is faster than our commit loses nothing."""
    [message_id] = await queued(db)
    await apply(db, [report("v1", "sent"), report("v1", "undelivered", code="30003")])
    assert await waiting(db) == 2
    await accept(db, {message_id: "v1"})
    await adopt(db, [Key(1, "post", "v1")])
    assert (await state(db, message_id))[:2] == ("undelivered", "30003")
    assert await waiting(db) == 0


async def test_no_report_falls_between_two_commits(db: Database) -> None:
    """Ids and reports commit against each other hundreds of times: whoever is last sees the other."""
    ids = await queued(db, 200)
    names = {message_id: f"v{n}" for n, message_id in enumerate(ids)}
    claimed, _ = await queue.claim(db, ROUTES, 1000, 0, 60.0, 0.0)

    async def settle(one: Any) -> None:
        name = names[one.message.id]
        case = Case(claimed=one, began=0.0, ended=0.1, can_look_up=True, rules=RULES, dice=0.5)
        await queue.settle(db, [judge(case, Accepted(name))])
        await adopt(db, [Key(1, "post", name)])

    async def tell(name: str) -> None:
        await apply(db, [report(name, "delivered")])

    for n in range(0, 200, 10):
        pairs = [work for one in claimed[n : n + 10] for work in (settle(one), tell(names[one.message.id]))]
        random.Random(n).shuffle(pairs)
        await asyncio.gather(*pairs)
    assert await db.fetchval("select count(*) from messages where status = 'delivered'") == 200
    assert await waiting(db) == 0


async def test_what_a_crash_left_waiting_is_swept_up(db: Database) -> None:
    """The worker died after the commit of the id and before it looked: the report is applied all the same."""
    [message_id] = await queued(db)
    await apply(db, [report("v1", "delivered")])
    await accept(db, {message_id: "v1"})
    assert (await state(db, message_id))[0] == "sent"
    assert (await sweep(db)).changed == 1
    assert (await state(db, message_id))[0] == "delivered"


async def test_what_waits_in_vain_is_forgotten(db: Database) -> None:
    """Reports on messages that are not ours are gone after a day."""
    await apply(db, [report("somebody else's", "delivered"), report("new", "sent")])
    await db.execute(
        "update early_statuses set received_at = now() - interval '25 hours' where provider_message_id <> 'new'"
    )
    await sweep(db)
    assert await waiting(db) == 1
