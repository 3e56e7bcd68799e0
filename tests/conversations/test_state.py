"""Read, unread, closed, open: what people do to conversations, and what the next message does to that."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley.conversations import state
from parley.conversations.read import _SQL, Filter, State, find, latest
from parley.core.errors import Invalid, NotFound
from parley.core.message import Channel
from parley.core.page import Window
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.messages.store import store
from tests.drafts import inbound, outbound
from tests.following import catch_up


@pytest.fixture
async def bell(db: Database) -> AsyncIterator[Bell]:
    """To be rung."""
    opened = Bell(db)
    yield opened
    await opened.close()


async def _unread(db: Database, reference: str = "1") -> int:
    return (await find(db, 1, reference, 64)).unread_count


async def _kinds(db: Database) -> list[str]:
    rows = await db.fetch("select kind from events where kind like 'conversation.%' order by xid, id")
    return [row["kind"] for row in rows]


async def _listed(
    db: Database, only: State | None = None, channels: tuple[Channel, ...] = (), size: int = 50
) -> list[str]:
    """All pages of a list."""
    found, cursor = [], None
    while True:
        page = await latest(db, 1, Window(size, cursor=cursor), 64, Filter(only, channels))
        found += [one.id for one in page.items]
        if (cursor := page.next_cursor) is None:
            return found


async def test_inbound_messages_are_unread_and_our_own_are_not(db: Database) -> None:
    """Whatever comes together into one commit, and repetitions count once."""
    await store(db, [inbound("a"), outbound(), inbound("b"), inbound("a")])
    assert await _unread(db) == 2
    await store(db, [inbound("a"), outbound()])
    assert await _unread(db) == 2


async def test_reading_and_unreading(db: Database, bell: Bell) -> None:
    """Each is told once, when it is news."""
    await store(db, [inbound("a"), inbound("b")])
    assert await state.mark_read(db, bell, 1, "1")
    assert not await state.mark_read(db, bell, 1, "1")
    assert await _unread(db) == 0
    assert await state.mark_unread(db, bell, 1, "1")
    assert not await state.mark_unread(db, bell, 1, "1")
    assert await _unread(db) == 1
    assert await _kinds(db) == ["conversation.read", "conversation.unread"]


async def test_one_reads_up_to_what_one_has_seen(db: Database, bell: Bell) -> None:
    """What came since stays unread."""
    drafts = [inbound(f"m{n}") for n in range(5)]
    for draft in drafts:
        await store(db, [draft])
    assert await state.mark_read(db, bell, 1, "1", through=drafts[2].id)
    assert await _unread(db) == 2
    assert not await state.mark_read(db, bell, 1, "1", through=drafts[0].id)
    assert await _unread(db) == 2
    await store(db, [late := outbound()])
    assert await state.mark_read(db, bell, 1, "1", through=late.id)
    assert await _unread(db) == 0


async def test_a_message_that_comes_while_somebody_reads_is_not_lost_from_sight(
    db: Database, bell: Bell
) -> None:
    """Readers mark up to what they saw while writers go on; in the end just the unseen ones are unread."""
    await store(db, [inbound("first")])
    seen = (await db.fetchrow("select id from messages"))["id"]  # type: ignore[index]

    async def write(writer: int) -> None:
        for n in range(20):
            await store(db, [inbound(f"{writer}-{n}")])

    async def read() -> None:
        for _ in range(30):
            await state.mark_read(db, bell, 1, "1", through=str(seen))

    await asyncio.gather(*(write(writer) for writer in range(4)), read())
    assert await _unread(db) == 80


async def test_closing_and_reopening(db: Database, bell: Bell) -> None:
    """Each is told once, when it is news."""
    await store(db, [inbound("a")])
    assert await state.close(db, bell, 1, "1")
    assert not await state.close(db, bell, 1, "1")
    assert (await find(db, 1, "1", 64)).state == "closed"
    assert await state.reopen(db, bell, 1, "1")
    assert not await state.reopen(db, bell, 1, "1")
    assert (await find(db, 1, "1", 64)).state == "open"
    assert await _kinds(db) == ["conversation.closed", "conversation.reopened"]


async def test_only_the_other_side_opens_a_closed_conversation(db: Database, bell: Bell) -> None:
    """Our last word may come after closing; theirs is a reason to look again."""
    await store(db, [inbound("a")])
    await state.close(db, bell, 1, "1")
    await store(db, [outbound()])
    assert (await find(db, 1, "1", 64)).state == "closed"
    await store(db, [outbound(), inbound("b")])
    assert (await find(db, 1, "1", 64)).state == "open"


@pytest.mark.parametrize(
    "reference", ["2", "99999999999999999999", "sms:x<->y", "a3c3944e-740e-7e7d-74a1-63fc8bd64ff8"]
)
async def test_nobody_can_be_closed_who_is_not_there(db: Database, bell: Bell, reference: str) -> None:
    """By whatever name."""
    await store(db, [inbound("a")])
    for act in (state.mark_read, state.mark_unread, state.close, state.reopen):
        with pytest.raises(NotFound):
            await act(db, bell, 1, reference)


async def test_one_cannot_have_read_what_is_not_in_the_conversation(db: Database, bell: Bell) -> None:
    """The mark comes from outside."""
    await store(db, [inbound("a"), other := inbound("b", sender="+18045559999")])
    for through in ("", "x", other.id, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(Invalid):
            await state.mark_read(db, bell, 1, "1", through=through)
    assert await _unread(db) == 1


async def test_the_key_and_the_uuid_serve_as_well_as_the_number(db: Database, bell: Bell) -> None:
    """As everywhere."""
    await store(db, [draft := inbound("a")])
    assert await state.mark_read(db, bell, 1, draft.thread_key)
    assert await state.close(db, bell, 1, draft.conversation_uuid)


async def test_lists_by_state_and_channel(db: Database, bell: Bell) -> None:
    """Newest first, page by page, and the whole list has them all in one order."""
    senders = [f"+1804555{n:04d}" for n in range(12)]
    for n, sender in enumerate(senders):
        await store(db, [inbound(f"m{n}", sender=sender, channel="mms" if n % 4 == 0 else "sms")])
    for number in ("2", "5", "9"):
        await state.close(db, bell, 1, number)
    for number in ("3", "5", "12"):
        await state.mark_read(db, bell, 1, number)
    everyone = [str(n) for n in range(12, 0, -1)]
    for size in (1, 2, 5, 50):
        assert await _listed(db, size=size) == everyone
        assert await _listed(db, "closed", size=size) == ["9", "5", "2"]
        assert await _listed(db, "open", size=size) == [n for n in everyone if n not in ("2", "5", "9")]
        assert await _listed(db, "unread", size=size) == [n for n in everyone if n not in ("3", "5", "12")]
        assert await _listed(db, None, ("mms",), size) == ["9", "5", "1"]
        assert await _listed(db, "closed", ("mms", "email"), size) == ["9", "5"]
    assert await state.unread(db, 1) == 9


async def test_a_page_by_number_is_the_same_as_by_cursor(db: Database, bell: Bell) -> None:
    """Old clients count pages."""
    for n in range(7):
        await store(db, [inbound(f"m{n}", sender=f"+1804555{n:04d}")])
    await state.close(db, bell, 1, "4")
    pages = [await latest(db, 1, Window(3, page=page), 64) for page in (1, 2, 3, 4)]
    assert [[one.id for one in page.items] for page in pages] == [["7", "6", "5"], ["4", "3", "2"], ["1"], []]
    assert {page.total for page in pages} == {7}


async def test_what_did_not_get_through_is_listed_until_it_does(db: Database, bell: Bell) -> None:
    """Or until somebody closes the conversation over it."""
    await store(db, [first := outbound(), second := outbound(recipient="+18045559999")])

    async def told(message_id: str, number: int, *statuses: str) -> None:
        for status in statuses:
            await db.execute(
                "insert into events (account_id, kind, conversation_id, message_id, status) "
                "values (1, 'message.status', $1, $2, $3)",
                number, message_id, status,
            )  # fmt: skip
        await catch_up(db)

    await told(first.id, 1, "sending", "failed")
    await told(second.id, 2, "sent", "undelivered")
    assert await _listed(db, "failed") == ["2", "1"]
    assert (await find(db, 1, "1", 64)).failed
    await told(first.id, 1, "failed")  # which is no news
    await told(first.id, 1, "queued")
    assert await _kinds(db) == ["conversation.failed", "conversation.failed", "conversation.mended"]
    assert await _listed(db, "failed") == ["2"]
    assert not (await find(db, 1, "1", 64)).failed
    await told(first.id, 1, "failed", "sent", "failed")
    await state.close(db, bell, 1, "2")
    assert await _listed(db, "failed") == ["1"]


_PLANS = {
    "latest": ("conversations_open", "conversations_closed"),
    "open_ones": ("conversations_open",),
    "closed_ones": ("conversations_closed",),
    "unread_ones": ("conversations_unread",),
}


@pytest.mark.parametrize("statement", _PLANS)
async def test_a_page_is_the_beginning_of_an_index(db: Database, statement: str) -> None:
    """With twenty thousand conversations, at the top and deep down, no list reads or sorts more than it shows."""
    await db.execute(
        """
        insert into conversations (account_id, id, uuid, key, channel, participants, last_activity_at, unread, closed_at)
        select 1, n, gen_random_uuid(), 'k' || n, 'sms', '{a,b}', now() - n * interval '1 second', n % 2,
            case when n % 3 = 0 then now() end
        from generate_series(1, 20000) n
        """
    )
    await db.execute("analyze conversations")
    async with db.connection() as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare page as {_SQL[statement]}")
        for cursor in ("null, null", "now() - interval '15000 seconds', 15000"):
            lines = await connection.fetch(
                f"explain (analyze, buffers) execute page(1, {cursor}, 51, 0, null)"
            )
            plan = "\n".join(line[0] for line in lines)
            assert all(index in plan for index in _PLANS[statement]), plan
            assert "Sort Method" not in plan
            assert int(plan.split("shared hit=")[1].split()[0]) < 250, plan
        await connection.execute("deallocate page")
        await connection.execute("reset plan_cache_mode")
