"""The next provider takes over, but only what the former surely did not accept."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from parley.db.pool import Database
from tests.delivery.stage import carriers, drained, enqueue, history, ruled, to_many, until, working
from tests.delivery.vendor import Post, Vendor
from tests.delivery.vendor import vendor as running_vendor


@pytest.fixture
async def second() -> AsyncIterator[Vendor]:
    """The other vendor."""
    async with running_vendor() as opened:
        yield opened


@pytest.fixture
def both(vendor: Vendor, second: Vendor, session: ClientSession) -> tuple[Post, Post]:
    """Two providers of the same channels, the preferred one first."""
    return Post(vendor.url, session, name="first"), Post(second.url, session, name="second")


async def test_what_was_surely_not_accepted_goes_to_the_next(
    db: Database, database_url: str, vendor: Vendor, second: Vendor, both: tuple[Post, Post]
) -> None:
    """A clear error of the first provider sends the message to the second one."""
    vendor.script.append("error")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(*both)):
        await until(lambda: drained(db))
    assert second.counts == {message_id: 1}
    assert await history(db, message_id) == [("first", "unavailable", "E500"), ("second", "accepted", None)]


async def test_after_the_last_provider_comes_the_first_again(
    db: Database, database_url: str, vendor: Vendor, second: Vendor, both: tuple[Post, Post]
) -> None:
    """Retries go round the providers in their order."""
    vendor.script.append("error")
    second.script.append("error")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(*both)):
        await until(lambda: drained(db))
    assert [provider for provider, _, _ in await history(db, message_id)] == ["first", "second", "first"]


async def test_doubt_never_fails_over(
    db: Database, database_url: str, vendor: Vendor, second: Vendor, session: ClientSession
) -> None:
    """After silence the message stays with its provider, even where the policy sends it again."""
    vendor.script.extend(["silence", "error"])
    blind = Post(vendor.url, session, name="first", can_look_up=False)
    spare = Post(second.url, session, name="second")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(blind, spare)):
        await until(lambda: drained(db))
    assert second.requests == []
    assert [provider for provider, _, _ in await history(db, message_id)] == ["first", "first", "first"]


async def test_proven_absence_may_fail_over(
    db: Database, database_url: str, vendor: Vendor, second: Vendor, both: tuple[Post, Post]
) -> None:
    """Once the first provider has shown that it lacks the message, the second one may have it."""
    vendor.script.append("lost")
    [message_id] = await enqueue(db, to_many(1))
    async with working(db, database_url, carriers(*both)):
        await until(lambda: drained(db))
    assert second.counts == {message_id: 1}
    assert vendor.taken == []


async def test_an_open_breaker_is_passed_over(
    db: Database, database_url: str, vendor: Vendor, second: Vendor, both: tuple[Post, Post]
) -> None:
    """New messages go to the next provider while the first one's breaker is open; those in doubt wait for it."""
    await db.execute("insert into breakers (provider, state, failures, until) "
                     "values ('first', 'open', 5, now() + interval '1 hour')")  # fmt: skip
    ids = await enqueue(db, to_many(5))
    await db.execute(
        "update deliveries set phase = 'ask', provider = 'first', attempts = 1, doubt_since = now() "
        "where message_id = $1::uuid",
        ids[0],
    )
    async with working(db, database_url, carriers(*both), ruled(grace=0.0)):
        await until(lambda: len(second.taken) == 4)
        await until(lambda: db.fetchval("select due_at > now() + interval '59 minutes' from deliveries"))
    assert vendor.requests == vendor.looked_up == []
    assert ids[0] not in second.counts
