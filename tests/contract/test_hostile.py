"""Hostile input: a refusal that names the field, or a message that reads back equal; never a failure of ours."""

import json
from typing import Any

import asyncpg
import pytest

from tests.contract.client import Api, Reply, email, email_webhook, number, sms, sms_webhook

SENDS = {"/api/messages/sms": sms, "/api/messages/email": email}
HOOKS = {"/api/webhooks/sms": sms_webhook, "/api/webhooks/email": email_webhook}
ALL = SENDS | HOOKS


def replaced(text: str) -> str:
    """A text with a sign for every half of a surrogate pair."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


OTHERS = ["/api/messages/send", "/api/send_message", "/api/send_email", "/api/provider/mock/inbound"]

TEXTS = {
    "a quarter of a million bytes": "x" * 250_000,
    "a quarter of a million bytes in emoji": "👩🏽‍🚀" * 15_000,
    "emoji families": "👨‍👩‍👧‍👦 👩🏾‍❤️‍💋‍👨🏻 🏴󠁧󠁢󠁷󠁬󠁳󠁿 🇩🇪",
    "right to left": "\u202eevil\u202c שלום مرحبا",
    "marks piled up": "Z̴̢̛͎̖͎̗͓̈́̒͋ͅ" * 200,
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028\u2029\ufeff\ufffe\uffff",
    "beyond the basic plane": "\U00010000\U0010ffff𝒳",
    "SQL": "'; drop table messages; -- $1 %s {} \\",
    "a backslash and a u": "\\u0000 \\ud800",
    "a template": "{{7*7}} ${7*7} <%= 7*7 %>",
    "markup that never ends": "<" * 20_000,
    "markup that nests": "<div>" * 20_000,
    "entities": "&amp;" * 20_000,
}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_text_reads_back_equal(api: Api, path: str, text: str) -> None:
    """What can be stored is stored to the letter, and every list that shows it still works."""
    accepted = await api.accepted(path, ALL[path](body=text))
    assert (await api.message(accepted["message_id"]))["body"] == text
    assert (await api.conversation(accepted["conversation_id"]))["message_count"] == 1
    assert len(await api.thread(accepted["conversation_id"])) == 1


NUL = "nul \0 inside"
HALVES = [
    "half a pair \ud83d",
    "the other half \udfff",
    "\udc00\ud800 in the wrong order",
    "\ud83d\\ud83d\U0001f600\ud83d",
]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        *(
            ("/api/messages/sms", field)
            for field in ("body", "from", "to", "type", "attachments", "timestamp")
        ),
        *(
            ("/api/messages/email", field)
            for field in ("body", "subject", "from", "to", "cc", "bcc", "reply_to")
        ),
    ],
)
async def test_a_nul_is_refused_by_name(api: Api, path: str, field: str) -> None:
    """PostgreSQL's text cannot hold it, so the sender must decide what he means."""
    written = [NUL, f"+12016661234{NUL}", f"{NUL} <a@b.co>", f"a@b.co{NUL}", f"https://example.com/{NUL}"]
    for value in written:
        order = ALL[path]() | {field: [value] if field in ("attachments", "cc", "bcc") else value}
        refused = await api.post(path, order)
        assert refused.status == 400, refused
        assert [name.partition("[")[0] for name in refused.fields] == [field]


@pytest.mark.parametrize("text", HALVES)
@pytest.mark.parametrize("path", [*SENDS, *OTHERS])
async def test_half_a_surrogate_pair_is_refused(api: Api, path: str, text: str) -> None:
    """UTF-8 cannot hold it: such JSON cannot be read."""
    refused = await api.post(path, sms(body=text, to_email="a@b.co", channel="sms"))
    assert (refused.status, refused.fields) == (422 if path.endswith("/send") else 400, ["body"])


@pytest.mark.parametrize(
    ("text", "stored"), [(NUL, "nul \ufffd inside"), *((t, replaced(t)) for t in HALVES)]
)
@pytest.mark.parametrize("path", HOOKS)
async def test_a_webhook_that_no_column_can_hold_is_stored_with_signs(
    api: Api, database: "asyncpg.Connection[Any]", path: str, text: str, stored: str
) -> None:
    """A provider cannot mend what its sender cut in two; the raw request keeps even that."""
    id, name = "xillio_id" if "email" in path else "messaging_provider_id", number()
    event = HOOKS[path](body=text, attachments=[text], sender=f"{text} {name}", subject=text, cc=[text])
    event[id] = f"{text} {name}"
    accepted = await api.accepted(path, event)
    assert (await api.message(accepted["message_id"]))["body"] == stored
    assert (await api.accepted(path, event))["duplicate"]
    kept = await database.fetchval(
        "select body from inbound_events where position($1 in body) > 0", name.encode()
    )
    assert json.loads(kept) == event


DOCUMENTS = {
    "nothing": b"",
    "white space": b" \n ",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"hello"',
    "a number": b"17",
    "an open brace": b"{",
    "a field without a value": b'{"from":',
    "cut short": json.dumps(sms()).encode()[:-20],
    "cut inside a character": '{"from":"+1201666123é'.encode()[:-1],
    "trailing garbage": json.dumps(sms()).encode() + b"}",
    "two documents": json.dumps(sms()).encode() * 2,
    "a wrong field, then garbage": b'{"from": 1, oops',
    "a wrong field, then half a document": b'{"from": 1, "to": [',
    "a wrong field, then depth": b'{"from": 1, "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a wrong field, then bad UTF-8": b'{"from": 1, "x": "\xff\xfe"}',
    "depth of lists": b"[" * 10_000 + b"]" * 10_000,
    "depth of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "depth that never closes": b"[" * 100_000,
    "depth in a known field": b'{"from": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "bad UTF-8": b'{"from": "\xc3\x28"}',
    "an overlong NUL": b'{"from": "\xc0\x80"}',
    "a raw surrogate": b'{"from": "\xed\xa0\x80"}',
    "UTF-16": json.dumps(sms()).encode("utf-16"),
    "not a number": b'{"from": NaN}',
    "infinity": b'{"from": -Infinity}',
    "a huge number": b'{"from": ' + b"9" * 5_000 + b"}",
    "a huge exponent": b'{"from": 1e99999}',
    "a comment": b'{/* hello */"from": "a"}',
    "single quotes": b"{'from': 'a'}",
    "a trailing comma": b'{"from": "a",}',
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "a form": b"from=a&to=b",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("path", [*ALL, *OTHERS])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_what_is_no_request_is_refused(api: Api, path: str, document: bytes) -> None:
    """A clear refusal that names a field, or the body where there is none."""
    refused = await api.post(path, raw=document)
    assert refused.status == (422 if path.endswith("/send") else 400), refused
    assert refused.fields
    assert all(detail["message"] for detail in refused.json["details"])


ODD = {
    "depth in an unknown field": b'"x": ' + b"[" * 500 + b"]" * 500,
    "duplicate keys": b'"body": "first", "body": "last"',
    "a very long unknown key": b'"' + b"k" * 100_000 + b'": 1',
    "ten thousand unknown keys": b", ".join(b'"k%d": 1' % n for n in range(10_000)),
    "a prototype": b'"__proto__": {"a": 1}, "constructor": 1, "__class__": 1',
    "a huge number in an unknown field": b'"x": ' + b"9" * 5_000,
    "an empty key": b'"": 1',
}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("more", ODD.values(), ids=ODD)
async def test_what_is_odd_but_means_something_is_stored(api: Api, path: str, more: bytes) -> None:
    """Unknown fields are ignored whatever they hold; of two equal keys the last one counts."""
    order = ALL[path](body="last")
    reply = await api.post(path, raw=json.dumps(order).encode()[:-1] + b", " + more + b"}")
    assert reply.status == 202, reply
    message = await api.message(reply.json["message_id"])
    assert message["body"] == "last"


async def test_depth_in_an_unknown_field_is_refused_or_ignored(api: Api) -> None:
    """10,000 levels: nothing overflows."""
    for path, make in ALL.items():
        document = json.dumps(make()).encode()[:-1] + b', "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
        assert (await api.post(path, raw=document)).status in (202, 400)


WRONG_TYPES: list[Any] = [7, 7.5, True, [], {}, ["x"], {"x": "y"}, 10**400, -1e308]


@pytest.mark.parametrize("value", WRONG_TYPES, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("path", ALL)
async def test_a_value_of_the_wrong_kind_is_refused_by_name(api: Api, path: str, value: Any) -> None:
    """Numbers are no texts and texts are no lists, on every field."""
    for field in ("from", "to", "body", "timestamp", *(["type"] if "sms" in path else ["subject"])):
        await _is_refused(await api.post(path, ALL[path]() | {field: value}), field)
    if value not in ([], ["x"]):
        await _is_refused(await api.post(path, ALL[path]() | {"attachments": value}), "attachments")
    await _is_refused(await api.post(path, ALL[path]() | {"attachments": [value]}), "attachments")


async def _is_refused(reply: Reply, field: str) -> None:
    assert reply.status == 400, reply
    assert reply.fields == [field]


@pytest.mark.parametrize("field", ["from", "to", "type", "attachments", "timestamp"])
async def test_texts_of_any_length_are_refused_or_stored(api: Api, field: str) -> None:
    """Ten thousand characters where an address, a type or a moment belongs."""
    long = "9" * 10_000
    for path, make in ALL.items():
        reply = await api.post(
            path, make() | {field: [f"https://example.com/{long}"] if field == "attachments" else long}
        )
        assert reply.status in (202, 400), reply
        if reply.status == 400:
            assert [name.partition("[")[0] for name in reply.fields] == [field]
        else:
            await api.message(reply.json["message_id"])


TIMES = [
    "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2024-02-30T00:00:00Z",
    "2024-11-01", "14:00:00Z", "2024-11-01T25:00:00Z", "2024-11-01T14:00:61Z", "2024-11-01T14:00:00+99:00",
    "2024-11-01T14:00:00.1234567890123Z", "1730469600", "2024-W44-5", "now", "infinity", "٢٠٢٤-11-01T14:00:00Z",
    "2024-11-01T14:00:00Z\0", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00-00:01", "9999-12-31T23:59:59.9999999+00:00",
]  # fmt: skip


@pytest.mark.parametrize("moment", TIMES)
@pytest.mark.parametrize("path", ALL)
async def test_a_moment_is_understood_or_refused_by_name(api: Api, path: str, moment: str) -> None:
    """The ends of the calendar, leap seconds and things that are no time at all."""
    reply = await api.post(path, ALL[path](timestamp=moment))
    assert reply.status in (202, 400), reply
    if reply.status == 400:
        assert reply.fields == ["timestamp"]
    else:
        assert (await api.message(reply.json["message_id"]))["timestamp"].endswith("Z")


PATHS = [
    "/%", "/%zz", "/%00", "/%ff%fe", "/..%2f..%2fetc%2fpasswd", "/api/conversations/%", "/api/conversations/%E0%A4%A",
    "/api/messages/%2e%2e", "/" + "a/" * 3000, "/api/conversations/" + "%F0%9F%98%80" * 2000, "/static/%2e%2e/%2e%2e/x",
    "/api/conversations/1/messages/", "/api/conversations/1%2Fmessages", "//", "/;x=y", "/api/conversations?%00=%FF&&=&page",
    "/api/conversations?page=1&page=2", "/api/conversations?" + "a=b&" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:30])
async def test_a_path_of_any_shape_is_answered(api: Api, path: str) -> None:
    """Found or not found; the server's files and its nerves are out of reach."""
    reply = await api.get(path)
    assert reply.status in (200, 400, 404, 431), reply
    assert reply.json


async def test_the_lists_still_work_after_all_that(api: Api) -> None:
    """What was stored can be shown, page by page, to the end."""
    pages = [page async for page in api.pages("/api/conversations")]
    assert sum(len(page["items"]) for page in pages) == pages[-1]["meta"]["total"] > 0
