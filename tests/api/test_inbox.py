"""The inbox over HTTP: search, states and their filters, for programs."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from parley.db.pool import Database
from parley.messages.store import store
from parley.settings import Settings
from tests.api.served import served
from tests.drafts import inbound
from tests.following import catch_up


@pytest.fixture
async def http(settings: Settings, db: Database) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a service with two conversations."""
    await store(db, [inbound("m1", body="The invoice")])
    await store(db, [inbound("m2", sender="+18045559999", channel="mms", body="A picture")])
    await catch_up(db)
    async with served(settings) as address, aiohttp.ClientSession(address) as session:
        yield session


async def _get(http: aiohttp.ClientSession, path: str, **params: str) -> tuple[int, Any]:
    async with http.get(path, params=params) as answer:
        return answer.status, await answer.json()


async def test_a_conversation_says_how_it_is(http: aiohttp.ClientSession) -> None:
    """And answers with its new state whatever is done to it."""
    at = "/api/conversations/1"
    _, before = await _get(http, at)
    assert (before["state"], before["unread_count"], before["failed"], before["name"]) == (
        "open",
        1,
        False,
        None,
    )
    for act, state, unread in (
        ("close", "closed", 1), ("read", "closed", 0), ("unread", "closed", 1), ("reopen", "open", 1)
    ):  # fmt: skip
        async with http.post(f"{at}/{act}") as answer:
            assert answer.status == 200
            after = await answer.json()
        assert (after["state"], after["unread_count"]) == (state, unread)
        assert after == (await _get(http, at))[1]
    last = before["last_message"]
    assert last is not None
    _, thread = await _get(http, f"{at}/messages")
    async with http.post(f"{at}/read", params={"through": thread["items"][-1]["id"]}) as answer:
        assert (await answer.json())["unread_count"] == 0


async def test_what_cannot_be_done_is_said(http: aiohttp.ClientSession) -> None:
    """404 for nobody, 400 for nonsense; never 500."""
    for act in ("close", "read", "unread", "reopen"):
        async with http.post(f"/api/conversations/77/{act}") as answer:
            assert answer.status == 404
        async with http.post(f"/api/conversations/%00%F0%9F%98%80/{act}") as answer:
            assert answer.status == 404
    for through in ("x", "00000000-0000-0000-0000-000000000000"):
        async with http.post("/api/conversations/1/read", params={"through": through}) as answer:
            assert answer.status == 400
            assert (await answer.json())["details"][0]["field"] == "through"


async def test_lists_are_filtered_by_state_and_channel(http: aiohttp.ClientSession) -> None:
    """How many there are is said of the whole list only."""
    await http.post("/api/conversations/1/close")
    for params, ids, total in (
        ({}, ["2", "1"], 2),
        ({"state": "open"}, ["2"], None),
        ({"state": "closed"}, ["1"], None),
        ({"state": "failed"}, [], None),
        ({"state": "unread", "channel": "sms"}, ["1"], None),
        ({"channel": "mms,email"}, ["2"], None),
    ):
        status, page = await _get(http, "/api/conversations", **params)
        assert status == 200
        assert [one["id"] for one in page["items"]] == ids
        assert page["meta"]["total"] == total
    for params in ({"state": "x"}, {"channel": "fax"}, {"channel": "sms,"}):
        assert (await _get(http, "/api/conversations", **params))[0] == 400


async def test_search_answers_with_conversations_and_their_hits(http: aiohttp.ClientSession) -> None:
    """An excerpt comes in pieces of plain text."""
    status, page = await _get(http, "/api/search", q="invo")
    assert status == 200
    assert page["meta"] == {"page": 1, "page_size": 50, "total": None, "next_cursor": None}
    (found,) = page["items"]
    assert found["conversation"]["id"] == "1"
    assert found["hit"]["excerpt"] == [{"text": "The ", "hit": False}, {"text": "invoice", "hit": True}]
    status, page = await _get(http, "/api/search", q="555-9999")
    assert [(one["conversation"]["id"], one["hit"]) for one in page["items"]] == [("2", None)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 400),
        ({"q": ""}, 400),
        ({"q": "x" * 201}, 400),
        ({"q": "x", "state": "y"}, 400),
        ({"q": "x", "channel": "fax"}, 400),
        ({"q": "x", "cursor": "y"}, 400),
        ({"q": "x", "per_page": "101"}, 400),
        ({"q": "\0"}, 200),
        ({"q": "' & | ! <-> :* \\ \" \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")}, 200),
        ({"q": "%"}, 200),
    ],
)
async def test_a_hostile_question_has_an_answer(
    http: aiohttp.ClientSession, params: dict[str, str], expected: int
) -> None:
    """Refused where it breaks a rule, and else an empty list."""
    status, page = await _get(http, "/api/search", **params)
    assert status == expected
    if status == 200:
        assert page["items"] == []
