"""Idempotency-Key: the first answer again, a contradiction refused, across processes and routes."""

from typing import Any

import pytest

from tests.contract.client import Api, email, number, sms

SEND, MAIL, ANY = "/api/messages/sms", "/api/messages/email", "/api/messages/send"


@pytest.mark.parametrize(
    ("path", "order"), [(SEND, sms()), (MAIL, email()), (ANY, sms()), (ANY, email(type="email"))]
)
async def test_the_same_key_and_body_give_the_first_answer_again(
    api: Api, path: str, order: dict[str, Any]
) -> None:
    """Marked as a replay, and stored once."""
    key = f"key-{number()}"
    first = await api.post(path, order, Idempotency_Key=key)
    again = await api.post(path, order, Idempotency_Key=key)
    assert (first.status, again.status) == (202, 202)
    assert again.json == first.json
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await api.conversation(first.json["conversation_id"]))["message_count"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "other"},
        {"recipient": "+18045551234"},
        {"timestamp": None},
        {"attachments": ["https://a.example/b"]},
    ],
)
async def test_the_same_key_with_another_body_is_a_conflict(api: Api, changes: dict[str, Any]) -> None:
    """409, and nothing is stored."""
    key, order = f"key-{number()}", sms()
    first = await api.accepted(SEND, order, Idempotency_Key=key)
    refused = await api.post(
        SEND, {**order, **sms(**changes), "to": changes.get("recipient", order["to"])}, Idempotency_Key=key
    )
    assert (refused.status, refused.json["code"]) == (409, "conflict")
    assert (await api.conversation(first["conversation_id"]))["message_count"] == 1


async def test_the_same_message_in_other_json_is_the_same_request(api: Api) -> None:
    """Order of fields, spaces and unknown fields make no other message."""
    key, order = f"key-{number()}", sms()
    first = await api.accepted(SEND, order, Idempotency_Key=key)
    backwards = dict(reversed(order.items())) | {"unknown": 1}
    assert await api.accepted(SEND, backwards, Idempotency_Key=key) == first


async def test_without_a_key_every_request_is_a_message(api: Api) -> None:
    """Keys are offered, not forced."""
    order = sms()
    assert (await api.accepted(SEND, order))["message_id"] != (await api.accepted(SEND, order))["message_id"]


async def test_a_refused_request_does_not_use_up_its_key(api: Api) -> None:
    """A request that was mended may come again with its key."""
    key = f"key-{number()}"
    assert (await api.post(SEND, sms(body=""), Idempotency_Key=key)).status == 400
    assert (await api.post(SEND, sms(), Idempotency_Key=key)).status == 202


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("k", 202),
        ("k" * 255, 202),
        ("with spaces and 'quotes\";--", 202),
        ("{not: a template}", 202),
        ("sch\u00f6n", 202),
        ("k" * 256, 400),
        ("k" * 6000, 400),
        ("", 400),
        ("   ", 400),
        ("tab\tinside", 400),
    ],
)
async def test_a_key_may_have_any_printable_shape(api: Api, key: str, status: int) -> None:
    """Up to 255 characters; what is no key is refused by name."""
    order = sms()
    reply = await api.post(SEND, order, Idempotency_Key=key)
    assert reply.status == status
    if status == 202:
        assert (await api.post(SEND, order, Idempotency_Key=key)).json == reply.json
    else:
        assert reply.fields == ["Idempotency-Key"]


async def test_keys_are_told_apart_exactly(api: Api) -> None:
    """Case counts, and one key is no prefix of another."""
    order, key = sms(), f"key-{number()}"
    ids = {
        (await api.accepted(SEND, order, Idempotency_Key=k))["message_id"]
        for k in (key, key.upper(), key + "0")
    }
    assert len(ids) == 3
