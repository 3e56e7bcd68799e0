"""Search finds by name, address, number and word; every conversation once; never an error, never for long."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.conversations import index
from parley.conversations.read import Filter
from parley.conversations.search import _SQL, Found, Search
from parley.core.errors import Invalid
from parley.core.message import Draft
from parley.core.page import Page
from parley.core.words import Fragment
from parley.db.pool import Database
from parley.messages.store import store
from tests.drafts import BUSINESS, inbound, outbound
from tests.following import catch_up


def _mail(body: str, sender: str = "Ann Lee <ann.lee@example.com>", subject: str = "Your visit") -> Draft:
    return inbound(
        None, channel="email", sender=sender, recipient="desk@parley.example", body=body, subject=subject
    )


async def _stored(db: Database, *drafts: Draft) -> None:
    for draft in drafts:  # one by one, so that their order is known
        await store(db, [draft])
    await catch_up(db)


async def _find(
    db: Database, query: str, size: int = 50, cursor: str | None = None, **only: Any
) -> Page[Found]:
    return await Search(db, 64).find(1, query, Filter(**only), size, cursor)


async def _ids(db: Database, query: str, **only: Any) -> list[str]:
    return [found.conversation.id for found in (await _find(db, query, **only)).items]


async def test_words_are_found_whatever_their_case_and_accents(db: Database) -> None:
    """As a person would look for them."""
    await _stored(db, inbound(None, body="Is the CAFÉ open?"), _mail("Nothing of the kind"))
    assert await _ids(db, "cafe") == ["1"]
    assert await _ids(db, "café OPEN") == ["1"]
    assert await _ids(db, "cafe closed") == []


async def test_the_last_word_may_be_only_begun(db: Database) -> None:
    """One sees results while typing, however short the beginning."""
    await _stored(db, inbound(None, body="Your invoice is due"))
    for begun in ("i", "in", "inv", "invo", "invoice", "due inv"):
        assert await _ids(db, begun) == ["1"], begun
    for other in ("invx", "invoices", "inv due ", '"inv"'):
        assert await _ids(db, other) == [], other


async def test_a_phrase_is_found_as_a_whole(db: Database) -> None:
    """Quotes ask for the order of words; what a person writes as one word is one as well."""
    await _stored(
        db,
        inbound(None, body="Thank you very much"),
        inbound(None, sender="+18045559999", body="You may thank them. It isn't far"),
    )
    assert await _ids(db, '"thank you"') == ["1"]
    assert await _ids(db, '"you thank"') == []
    assert await _ids(db, "isn't") == ["2"]


async def test_a_conversation_is_found_by_a_part_of_its_number(db: Database) -> None:
    """With or without separators, from any place on."""
    await _stored(db, inbound(None, sender="+18045551234"), inbound(None, sender="+18046669876"))
    for part in ("555-1234", "5551234", "(804) 555", "+1 804 555 1234", "18045551234", "1234", "5512"):
        assert await _ids(db, part) == ["1"], part
    assert await _ids(db, "804") == ["2", "1"]


async def test_our_own_number_is_found_only_as_a_whole(db: Database) -> None:
    """Part of it would find everything."""
    await _stored(db, inbound(None, sender="+18045559999"), outbound(recipient="+18046669876"))
    assert BUSINESS == "+12016661234"
    assert await _ids(db, "6661234") == ["2", "1"]
    assert await _ids(db, "+12016661234") == ["2", "1"]
    assert await _ids(db, "661234") == []
    assert await _ids(db, "201") == []


async def test_a_conversation_is_found_by_name_and_mailbox(db: Database) -> None:
    """Before those in which the name is only mentioned; and it goes by its newest name."""
    await _stored(db, _mail("Hello"), inbound(None, body="Ann told me"))
    found = (await _find(db, "ann")).items
    assert [one.conversation.name for one in found] == ["Ann Lee", None]
    assert found[0].hit is None
    assert found[1].hit is not None
    assert await _ids(db, "ann.lee@example.com") == ["1"]
    assert await _ids(db, "ann.lee@exam") == ["1"]
    assert await _ids(db, "desk@parley.example") == ["1"]
    assert await _ids(db, "desk") == []
    await _stored(db, _mail("Married", sender="Ann Berg <ann.lee@example.com>"))
    assert await _ids(db, "berg") == ["1"]
    assert (await _find(db, "berg")).items[0].conversation.name == "Ann Berg"


async def test_subject_and_sender_count_as_words_of_a_mail(db: Database) -> None:
    """What somebody remembers of a mail is who wrote it and what about."""
    await _stored(db, _mail("See attached", subject="Invoice 4711"), _mail("Hm", sender="bob@example.com"))
    assert await _ids(db, "invoice 4711") == ["1"]
    assert await _ids(db, "ann attached") == ["1"]
    hit = (await _find(db, "invoice")).items[0].hit
    assert hit is not None
    assert hit.subject == [Fragment("Invoice", hit=True), Fragment(" 4711")]


async def test_markup_is_neither_found_nor_shown(db: Database) -> None:
    """An HTML mail is its text; an excerpt is plain text in pieces, whatever was written."""
    await _stored(db, _mail("<p style='color:red'>The <b>boat</b><script>alert(1)</script> &lt;i&gt;</p>"))
    assert await _ids(db, "style") == []
    assert await _ids(db, "alert") == []
    hit = (await _find(db, "boat")).items[0].hit
    assert hit is not None
    assert Fragment("boat", hit=True) in hit.excerpt
    assert "script" not in "".join(fragment.text for fragment in hit.excerpt)


async def test_scripts_without_spaces_are_found(db: Database) -> None:
    """A word in Japanese is a phrase of its characters."""
    await _stored(
        db, inbound(None, body="明日の会議は三時です"), inbound(None, sender="+18045559999", body="議会")
    )
    assert await _ids(db, "会議") == ["1"]


async def test_every_conversation_is_found_once_through_all_pages(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its newest hit; across shelves, pages and the border between names and words."""
    monkeypatch.setattr(index, "SHELF", 7)
    drafts = [inbound(None, sender=f"+1804555{n % 20:04d}", body=f"boat {n}") for n in range(60)] + [
        _mail("my boat", sender=f"Captain Boat <boat{n}@example.com>") for n in range(5)
    ]
    await _stored(db, *drafts)
    for size in (1, 3, 4, 5, 8, 50):
        found, cursor = [], None
        for _ in range(100):
            page = await _find(db, "boat", size, cursor)
            found += page.items
            assert len(page.items) <= size
            if (cursor := page.next_cursor) is None:
                break
        assert len(found) == len({one.conversation.id for one in found}) == 25
        assert [one.hit is None for one in found] == [True] * 5 + [False] * 20
        newest = ["".join(f.text for f in one.hit.excerpt) for one in found if one.hit]
        assert newest == [f"boat {n}" for n in reversed(range(40, 60))]


async def test_filters_hold_for_names_and_words(db: Database) -> None:
    """A channel is the message's, a state the conversation's."""
    await _stored(
        db,
        inbound(None, sender="+18045550001", body="boat"),
        inbound(None, sender="+18045550001", channel="mms", body="a picture"),
        inbound(None, sender="+18045550002", body="boat"),
        _mail("boat"),
        _mail("no", sender="Boat <b@example.com>"),
    )
    await db.execute("update conversations set unread = 0 where id = 2")
    await db.execute("update conversations set closed_at = now() where id in (2, 4)")
    await db.execute(
        "insert into failures select account_id, conversation_id, id from messages where body = 'a picture'"
    )
    assert await _ids(db, "boat") == ["4", "3", "2", "1"]
    assert await _ids(db, "boat", channels=("sms", "mms")) == ["2", "1"]
    assert await _ids(db, "boat", channels=("mms",)) == []
    assert await _ids(db, "boat", channels=("email",)) == ["4", "3"]
    assert await _ids(db, "boat", state="open") == ["3", "1"]
    assert await _ids(db, "boat", state="closed") == ["4", "2"]
    assert await _ids(db, "boat", state="unread") == ["4", "3", "1"]
    assert await _ids(db, "boat", state="failed") == ["1"]
    assert await _ids(db, "boat", state="unread", channels=("sms",)) == ["1"]


async def test_pages_of_a_state_with_few_conversations_go_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether few conversations are looked through or all shelves, the answer is the same."""
    await _stored(db, *(inbound(None, sender=f"+1804555{n:04d}", body="boat") for n in range(9)))
    for few in (2000, 3):
        monkeypatch.setattr("parley.conversations.search._FEW", few)
        found, cursor = [], None
        while True:
            page = await _find(db, "boat", 2, cursor, state="unread")
            found += [one.conversation.id for one in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert found == [str(n) for n in range(9, 0, -1)]


async def test_nobody_finds_anything_of_another_account(db: Database) -> None:
    """The account is a part of every question."""
    await db.execute("insert into accounts (id, name) values (2, 'other')")
    await _stored(db, inbound(None, body="boat"))
    assert (await Search(db, 64).find(2, "boat", Filter(), 50)).items == []
    assert (await Search(db, 64).find(2, "555", Filter(), 50)).items == []


@pytest.mark.parametrize("query", ["", "   ", "!!!", '"', '""', "&|!()<->:*", "\N{GRINNING FACE}"])
async def test_without_words_nothing_is_found(db: Database, query: str) -> None:
    """And nothing is looked for."""
    await _stored(db, inbound(None, body="!!! && ||"))
    assert await _find(db, query) == Page([], None, None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.one_of(st.text(max_size=250), st.text("ab':*&|!<->()\"\\%_@#=^ 019.-+", max_size=60)))
async def test_a_hostile_question_is_only_a_question(db: Database, query: str) -> None:
    """Whatever somebody types, it is cut into words and never becomes a part of the query language."""
    assert (await _find(db, query)).items == []


@pytest.mark.parametrize("cursor", ["", "x", "bg", "cw", "c////w", "====", "é", "bgAAAA", "dAAA", "A" * 500])
async def test_a_cursor_that_we_never_gave_out_is_refused(db: Database, cursor: str) -> None:
    """Cursors come from outside."""
    await _stored(db, inbound(None, body="boat"))
    with pytest.raises(Invalid):
        await _find(db, "boat", 50, cursor)


async def test_a_search_that_takes_long_stops_and_can_be_continued(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be short, or empty, and yet have a next one."""
    monkeypatch.setattr(index, "SHELF", 1)
    monkeypatch.setattr("parley.conversations.search._ENOUGH_SECONDS", 0.0)
    bodies = ["boat", *["other"] * 9]
    await _stored(db, *(inbound(None, sender=f"+1804555{n:04d}", body=body) for n, body in enumerate(bodies)))
    pages, cursor = [], None
    while True:
        page = await _find(db, "boat", 5, cursor)
        pages.append(len(page.items))
        if (cursor := page.next_cursor) is None:
            break
    assert len(pages) > 1
    assert pages == [0] * (len(pages) - 1) + [1]


async def test_searches_leave_connections_to_others(db: Database) -> None:
    """Of a pool of eight, two at most are ever searching."""
    await _stored(db, inbound(None, body="boat"))
    search, most = Search(db, 64), 0
    lock = "lock table conversation_words in access exclusive mode"
    async with db.connection() as holder, holder.transaction():
        await holder.execute(lock)
        searching = [asyncio.create_task(search.find(1, "boat", Filter(), 50)) for _ in range(20)]
        end = time.monotonic() + 10
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while most < 2 and time.monotonic() < end:
            await asyncio.sleep(0.01)
            most = await db.fetchval(waiting)
        assert await db.fetchval(waiting) == 2
    assert all(len(page.items) == 1 for page in await asyncio.gather(*searching))


async def test_ingest_writes_nothing_for_the_search(db: Database) -> None:
    """Messages are stored without a thought of who may look for them; the follower brings them in."""
    await store(db, [inbound(None, body="boat")])
    assert await db.fetchval("select count(*) from message_words") == 0
    assert await db.fetchval(
        "select count(*) from pg_trigger where not tgisinternal and tgrelid in ('messages'::regclass, 'events'::regclass)"
    ) == 0  # fmt: skip
    assert await _ids(db, "boat") == []
    await catch_up(db)
    assert await _ids(db, "boat") == ["1"]


_SHELF, _MESSAGES = 1000, 30_000

_QUESTIONS = {
    "a word that everybody uses": ("'hello' & ", "'hello'", 1),
    "a word that hardly anybody uses": ("'rare' & ", "'rare'", 30),
    "two words that nobody uses together": ("'rare' & 'other' & ", "'rare' & 'other'", 30),
    "a beginning that is too short for the index": ("", "'h':*", 1),
}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("what", _QUESTIONS)
async def test_a_search_reads_a_shelf_and_not_the_library(db: Database, what: str, mode: str) -> None:
    """Common words stop at the first shelf; rare ones glance at each and take nothing down."""
    await db.execute(
        f"""
        insert into message_words
        select 1, n % 5000, gen_random_uuid(), format(
            '''hello'':1 ''w%s'':2 %s ''#1.%s''', n % 977, case when n % 9999 = 0 then '''rare'':3' end, n / {_SHELF}
        )::tsvector
        from generate_series(0, {_MESSAGES} - 1) n
        """
    )
    async with db.connection() as connection:
        await connection.execute("select gin_clean_pending_list('message_words_words')")
        await connection.execute("analyze message_words")
        await connection.execute(f"set plan_cache_mode = {mode}")
        await connection.execute(f"prepare look as {_SQL['on_shelves']}")
        rough, exact, shelves = _QUESTIONS[what]
        values = ", ".join(f"$q${text}$q$" for text in (rough.removesuffix(" & "), exact, "'#1' & 'x'"))
        newest = _MESSAGES // _SHELF - 1
        lines = await connection.fetch(
            f"explain (analyze, buffers) execute look(1, {values}, {newest}, 0, null, 51, null)"
        )
        await connection.execute("deallocate look")
        await connection.execute("reset plan_cache_mode")
    plan = "\n".join(line[0] for line in lines)
    scan = next(line for line in plan.splitlines() if "Bitmap Heap Scan on message_words w" in line)
    assert f"loops={shelves})" in scan, plan
    assert "Seq Scan" not in plan
    assert int(plan.split("shared hit=")[1].split()[0]) < 1500, plan
