"""Lists: their shape, their order, their pages by number and by cursor."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.settings import Settings
from tests.contract.client import Api, number, sms_webhook
from tests.contract.inprocess import serving

HOOK = "/api/webhooks/sms"


@pytest.fixture
async def fresh(settings: Settings) -> AsyncIterator[Api]:
    """A service on an empty database."""
    async with serving(settings) as api:
        yield api


async def _fill(api: Api, count: int, **changes: Any) -> list[str]:
    """Open conversations one after the other; their numbers in that order."""
    stamps = [f"2024-11-01T14:{n // 60:02d}:{n % 60:02d}Z" for n in range(count)]
    return [
        (await api.accepted(HOOK, sms_webhook(timestamp=stamp, **changes)))["conversation_id"]
        for stamp in stamps
    ]


async def test_an_empty_list_is_a_list(fresh: Api) -> None:
    """`items` is always a list, and the meta is complete."""
    assert (await fresh.get("/api/conversations")).json == {
        "items": [],
        "meta": {"page": 1, "page_size": 50, "total": 0, "next_cursor": None},
    }


async def test_numbers_count_from_one_without_gaps(fresh: Api) -> None:
    """Also where conversations are opened at once."""
    answers = await asyncio.gather(*(fresh.accepted(HOOK, sms_webhook()) for _ in range(40)))
    assert sorted(int(answer["conversation_id"]) for answer in answers) == list(range(1, 41))


async def test_a_conversation_has_the_documented_shape(fresh: Api) -> None:
    """In the list as by itself."""
    event = sms_webhook(sender="+18045551234", type="mms", body="<b>not</b>  markup\n here")
    await fresh.accepted(HOOK, event)
    expected = {
        "id": "1",
        "uuid": "a3c3944e-740e-7e7d-74a1-63fc8bd64ff7",
        "key": "sms:+12016661234<->+18045551234",
        "channel": "sms",
        "channels": ["mms"],
        "participant_a": "+12016661234",
        "participant_b": "+18045551234",
        "participants": ["+12016661234", "+18045551234"],
        "message_count": 1,
        "last_activity_at": "2024-11-01T14:00:00Z",
        "last_message": {"snippet": "<b>not</b> markup here", "direction": "inbound", "channel": "mms"},
    }
    (listed,) = (await fresh.get("/api/conversations")).json["items"]
    assert listed.items() >= expected.items()
    for name in (
        "1",
        expected["uuid"],
        "sms:%2B12016661234%3C-%3E%2B18045551234",
        "sms:+12016661234<->+18045551234",
    ):
        assert await fresh.conversation(str(name)) == listed
        assert len((await fresh.get(f"/api/conversations/{name}/messages")).json["items"]) == 1


async def test_the_list_is_ordered_by_activity_then_number(fresh: Api) -> None:
    """last_activity_at desc, id desc; a new message lifts its conversation."""
    for stamp in ("01", "03", "02", "03"):
        await fresh.accepted(HOOK, sms_webhook(timestamp=f"2024-11-{stamp}T00:00:00Z"))
    assert [item["id"] for item in (await fresh.get("/api/conversations")).json["items"]] == [
        "4",
        "2",
        "3",
        "1",
    ]
    first = await fresh.conversation("1")
    await fresh.accepted(HOOK, sms_webhook(sender=first["participant_b"], timestamp="2024-11-04T00:00:00Z"))
    lifted = (await fresh.get("/api/conversations")).json["items"][0]
    assert (lifted["id"], lifted["last_activity_at"]) == ("1", "2024-11-04T00:00:00Z")


async def test_a_thread_is_ordered_by_time_then_arrival(fresh: Api) -> None:
    """Time ascending, whatever the order of arrival; equal times in the order in which they came."""
    sender = number()
    for day, body in ((2, "c"), (1, "a"), (3, "e"), (1, "b"), (2, "d")):
        await fresh.accepted(
            HOOK, sms_webhook(sender=sender, body=body, timestamp=f"2024-11-0{day}T00:00:00Z")
        )
    assert [message["body"] for message in await fresh.thread("1")] == ["a", "b", "c", "d", "e"]
    assert (await fresh.conversation("1"))["last_message"]["snippet"] == "e"


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("", 50),
        ("pageSize=0", 50),
        ("page_size=0", 50),
        ("per_page=0", 50),
        ("pageSize=7", 7),
        ("page_size=7", 7),
        ("per_page=7", 7),
        ("pageSize=51", 50),
        ("page_size=1000", 50),
        ("per_page=60", 60),
        ("per_page=200", 200),
        ("per_page=201", 200),
        ("per_page=99999999999", 200),
        ("pageSize=", 50),
    ],
)
async def test_the_page_size_has_three_names_and_two_caps(api: Api, query: str, size: int) -> None:
    """Default 50, 0 means 50, at most 200; the two older names cap at 50."""
    assert (await api.get(f"/api/conversations?{query}")).json["meta"]["page_size"] == size


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=one", "page"),
        ("page=1.5", "page"),
        ("page=99999999999999999999", "page"),
        ("page=%00", "page"),
        ("pageSize=-1", "pageSize"),
        ("page_size=many", "page_size"),
        ("per_page=%F0%9F%98%80", "per_page"),
        ("per_page=" + "9" * 5000, "per_page"),
        ("cursor=garbage", "cursor"),
        ("cursor=%00%FF", "cursor"),
        ("cursor=" + "A" * 5000, "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%E2%82%AC", "cursor"),
        ("cursor=f_________8AAAAAAAAAAQ", "cursor"),
    ],
)
@pytest.mark.parametrize("path", ["/api/conversations", "/api/conversations/1/messages"])
async def test_a_page_that_cannot_be_is_refused_by_name(api: Api, path: str, query: str, field: str) -> None:
    """A slip in a query is told, not guessed over."""
    refused = await api.get(f"{path}?{query}")
    assert (refused.status, refused.fields) == (400, [field])


async def test_pages_by_number_cover_the_list(fresh: Api) -> None:
    """Every row once, the total exact on every page, an empty page behind the end."""
    numbers = await _fill(fresh, 23)
    pages = [
        (await fresh.get(f"/api/conversations?page={n}&per_page=10")).json for n in (1, 2, 3, 4, 1_000_000)
    ]
    assert [item["id"] for page in pages for item in page["items"]] == numbers[::-1]
    assert [len(page["items"]) for page in pages] == [10, 10, 3, 0, 0]
    assert {page["meta"]["total"] for page in pages} == {23}
    assert [page["meta"]["page"] for page in pages] == [1, 2, 3, 4, 1_000_000]
    assert [page["meta"]["next_cursor"] is None for page in pages] == [False, False, True, True, True]


async def test_the_cursor_ends_where_the_list_ends(fresh: Api) -> None:
    """A full last page has no next one."""
    await _fill(fresh, 20)
    first = (await fresh.get("/api/conversations?per_page=10")).json
    last = (await fresh.get(f"/api/conversations?per_page=10&cursor={first['meta']['next_cursor']}")).json
    assert len(last["items"]) == 10
    assert last["meta"]["next_cursor"] is None


async def test_cursor_pages_of_conversations_see_each_row_once_while_rows_come(fresh: Api) -> None:
    """What was there at the beginning is seen exactly once, however many new ones come on top meanwhile."""
    there = await _fill(fresh, 60)
    seen: list[str] = []
    async for page in fresh.pages("/api/conversations", 7):
        seen += [item["id"] for item in page["items"]]
        await fresh.accepted(HOOK, sms_webhook(timestamp="2024-12-01T00:00:00Z"))
    assert seen == there[::-1]
    assert page["meta"]["total"] == 60 + 60 // 7


async def test_cursor_pages_of_a_thread_see_each_row_once_while_rows_come(fresh: Api) -> None:
    """New messages come at the end, so a reader who goes on sees them too; messages of one second keep apart."""
    sender = number()
    event = sms_webhook(sender=sender)
    sent = [
        (await fresh.accepted(HOOK, event | {"messaging_provider_id": f"p{n}"}))["message_id"]
        for n in range(30)
    ]
    seen: list[str] = []
    more = 5
    async for page in fresh.pages("/api/conversations/1/messages", 4):
        seen += [item["id"] for item in page["items"]]
        if more:
            more -= 1
            late = await fresh.accepted(HOOK, sms_webhook(sender=sender, timestamp="2024-11-02T00:00:00Z"))
            sent.append(late["message_id"])
    assert seen == sent


@pytest.mark.parametrize(
    "name",
    [
        "0",
        "999999999",
        "99999999999999999999999999",
        "00000000-0000-0000-0000-000000000000",
        "sms:nobody",
        "%00",
        "%FF%FE",
        "a%2Fb",
        "..%2F..%2Fetc%2Fpasswd",
        "'%20or%201=1--",
        "%F0%9F%98%80" * 500,
        "-1",
        "1.0",
        "%31%30%30%30%30%30%30%30",
    ],
)
async def test_an_unknown_conversation_is_not_found(api: Api, name: str) -> None:
    """404, whatever stands in its place."""
    for path in (f"/api/conversations/{name}", f"/api/conversations/{name}/messages"):
        reply = await api.get(path)
        assert (reply.status, reply.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "name", ["1", "00000000-0000-0000-0000-000000000000", "%00", "%FF", "x" * 4000, "a_b" * 12]
)
async def test_an_unknown_message_is_not_found(api: Api, name: str) -> None:
    """404, whatever stands in its place."""
    assert (await api.get(f"/api/messages/{name}")).status == 404
