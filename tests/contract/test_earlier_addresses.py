"""The earlier service's three addresses: its clients work unchanged."""

import asyncio
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.contract.client import Api, mailbox, number, sms_webhook

OFFICE = "+12016661234"


async def test_send_message_sends_an_sms(api: Api) -> None:
    """{to, from, body} in; success, message_id, status and method out, with 200."""
    them = number()
    reply = await api.post("/api/send_message", {"to": them, "from": OFFICE, "body": "Hi"})
    assert reply.status == 200
    answer = reply.json
    assert answer == {
        "success": True,
        "message_id": str(UUID(answer["message_id"])),
        "status": "queued",
        "method": "sms",
    }
    message = await api.message(answer["message_id"])
    assert (message["to"], message["body"], message["type"]) == (them, "Hi", "sms")


@pytest.mark.parametrize("sender", [None, "desk@example.com"])
async def test_send_email_sends_an_email(api: Api, sender: str | None) -> None:
    """{to_email, subject, body, from_email?} in; success, email_id, status and method out, with 200."""
    them = mailbox()
    order = {"to_email": them, "subject": "S", "body": "<p>Hi</p>"} | (
        {"from_email": sender} if sender else {}
    )
    reply = await api.post("/api/send_email", order)
    assert reply.status == 200
    answer = reply.json
    assert answer == {
        "success": True,
        "email_id": str(UUID(answer["email_id"])),
        "status": "queued",
        "method": "email",
    }
    message = await api.message(answer["email_id"])
    assert (message["to"], message["subject"], message["body"]) == (them, "S", "<p>Hi</p>")
    assert message["from"] == (sender or "no-reply@example.com")


async def test_an_idempotency_key_works_there_too(api: Api) -> None:
    """Thin translations have the same promises."""
    order, key = {"to": number(), "from": OFFICE, "body": "Hi"}, f"key-{number()}"
    first = await api.post("/api/send_message", order, Idempotency_Key=key)
    again = await api.post("/api/send_message", order, Idempotency_Key=key)
    assert first.json == again.json
    assert (await api.post("/api/send_message", order | {"body": "!"}, Idempotency_Key=key)).status == 409


@pytest.mark.parametrize(
    ("path", "order", "fields"),
    [
        ("/api/send_message", {}, ["to", "from", "body"]),
        ("/api/send_message", {"to": "+18045551234", "from": OFFICE, "body": " "}, ["body"]),
        ("/api/send_email", {"subject": "S"}, ["to_email", "body"]),
        ("/api/send_email", {"to_email": "nobody", "body": "x"}, ["to_email"]),
        ("/api/send_email", {"to_email": "a@b.co", "from_email": "?", "body": "x"}, ["from_email"]),
    ],
)
async def test_what_is_wrong_is_named_in_the_callers_words(
    api: Api, path: str, order: object, fields: list[str]
) -> None:
    """400 with the fields that the caller knows."""
    refused = await api.post(path, order)
    assert refused.status == 400
    assert sorted(refused.fields) == sorted(fields)


async def test_messages_of_a_conversation(api: Api) -> None:
    """All of a conversation by its UUID, the oldest first."""
    them = number()
    for day in (2, 1):
        event = sms_webhook(sender=them, body=f"day {day}", timestamp=f"2024-11-0{day}T00:00:00Z")
        accepted = await api.accepted("/api/webhooks/sms", event)
    uuid = (await api.conversation(accepted["conversation_id"]))["uuid"]
    answer = (await api.get(f"/api/conversation/{uuid}/messages")).json
    assert set(answer) == {"messages"}
    assert [message["body"] for message in answer["messages"]] == ["day 1", "day 2"]


async def test_new_messages_of_a_conversation(api: Api) -> None:
    """What came in after a moment, whatever time it carries; `since` is RFC 3339 with any offset."""
    them = number()
    first = await api.accepted("/api/webhooks/sms", sms_webhook(sender=them))
    conversation = await api.conversation(first["conversation_id"])
    address = f"/api/conversation/{conversation['uuid']}/new_messages"
    arrived = (await api.message(first["message_id"]))["created_at"]
    await asyncio.sleep(0.001)
    second = await api.accepted("/api/webhooks/sms", sms_webhook(sender=them))

    async def after(since: str) -> list[str]:
        reply = await api.get(f"{address}?since={quote(since, safe='')}")
        assert reply.status == 200, reply
        return [message["id"] for message in reply.json["messages"]]

    assert await after(arrived) == [second["message_id"]]
    assert await after("2000-01-01T00:00:00Z") == [first["message_id"], second["message_id"]]
    earlier = datetime.fromisoformat(arrived) - timedelta(microseconds=1)
    assert len(await after(earlier.astimezone().isoformat())) == 2
    assert await after("2999-01-01T00:00:00") == []
    unescaped = await api.get(f"{address}?since=2000-01-01T00:00:00+00:00")
    assert len(unescaped.json["messages"]) == 2


@pytest.mark.parametrize(
    "query",
    ["", "?since=", "?since=yesterday", "?since=0001-01-01T00:00:00%2B14:00", "?since=soon", "?since=1"],
)
async def test_since_is_needed(api: Api, query: str) -> None:
    """Missing or no moment: 400 that names it, also for an unknown conversation."""
    refused = await api.get(f"/api/conversation/00000000-0000-0000-0000-000000000000/new_messages{query}")
    assert (refused.status, refused.fields) == (400, ["since"])


@pytest.mark.parametrize(
    "id", ["00000000-0000-0000-0000-000000000000", "nobody", "%00", "99999999999999999999999"]
)
async def test_an_unknown_id_has_no_messages(api: Api, id: str) -> None:
    """An empty list, as it was."""
    assert (await api.get(f"/api/conversation/{id}/messages")).json == {"messages": []}
    reply = await api.get(f"/api/conversation/{id}/new_messages?since=2024-01-01T00:00:00Z")
    assert (reply.status, reply.json) == (200, {"messages": []})
