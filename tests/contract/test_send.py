"""Sending: what is accepted, what is refused and how it is named, what can be read afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.contract.client import Api, email, number, sms

SMS, EMAIL, ANY = "/api/messages/sms", "/api/messages/email", "/api/messages/send"
URL = "https://example.com/a.png"


async def test_an_accepted_message_is_answered_with_its_place(api: Api) -> None:
    """202 and the documented fields, no more and no less."""
    accepted = await api.accepted(SMS, sms())
    assert accepted == {
        "status": "accepted",
        "message_id": str(UUID(accepted["message_id"])),
        "conversation_id": str(int(accepted["conversation_id"])),
        "provider_message_id": None,
        "duplicate": False,
    }


async def test_an_accepted_message_can_be_read_at_once(api: Api) -> None:
    """The answer comes after the commit, so whoever reads next sees the message, in full."""
    order = sms(type="MMS", attachments=[URL])
    accepted = await api.accepted(SMS, order)
    message = await api.message(accepted["message_id"])
    assert message["created_at"].endswith("Z")
    assert {name: message[name] for name in EXPECTED} == EXPECTED | {
        "id": accepted["message_id"],
        "conversation_id": accepted["conversation_id"],
        "to": order["to"],
        "body": order["body"],
        "snippet": order["body"],
        "attachments": [URL],
    }
    assert message["status"] in {"queued", "sending", "sent", "delivered"}


EXPECTED: dict[str, Any] = {
    "id": None,
    "conversation_id": None,
    "direction": "outbound",
    "channel": "mms",
    "type": "mms",
    "from": "+12016661234",
    "to": None,
    "body": None,
    "subject": None,
    "snippet": None,
    "attachments": None,
    "timestamp": "2024-11-01T14:00:00Z",
    "error": None,
}


async def test_an_email_keeps_all_its_parts(api: Api) -> None:
    """Subject, copies, blind copies and the reply address are stored with the message."""
    parts = {
        "subject": "Hello",
        "cc": ["Carl <carl@example.com>"],
        "bcc": ["bea@example.com"],
        "reply_to": "desk+42@example.com",
    }
    accepted = await api.accepted(EMAIL, email(**parts))
    message = await api.message(accepted["message_id"])
    assert {name: message[name] for name in parts} == parts
    assert message["channel"] == message["type"] == "email"
    assert message["snippet"] == "Hello! This is a test email message with HTML formatting."


@pytest.mark.parametrize("kind", ["sms", "mms", "email", "SMS", " Mms ", "eMail"])
async def test_one_address_sends_over_every_channel(api: Api, kind: str) -> None:
    """/api/messages/send chooses by type, whatever its case."""
    order = email(type=kind) if kind.lower() == "email" else sms(type=kind, attachments=[URL])
    accepted = await api.accepted(ANY, order)
    assert (await api.message(accepted["message_id"]))["type"] == kind.strip().lower()


@pytest.mark.parametrize(
    ("attachments", "stored"), [([], []), (None, []), ("absent", []), ([URL], [URL]), ([URL] * 8, [URL] * 8)]
)
async def test_attachments_may_be_a_list_or_nothing(api: Api, attachments: Any, stored: list[str]) -> None:
    """A list of URLs, an empty list, null or no field at all."""
    order = sms(attachments=attachments)
    if attachments == "absent":
        del order["attachments"]
    accepted = await api.accepted(SMS, order)
    assert (await api.message(accepted["message_id"]))["attachments"] == stored


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-11-01T14:00:00Z", "2024-11-01T14:00:00Z"),
        ("2024-11-01T14:00:00+05:30", "2024-11-01T08:30:00Z"),
        ("2024-11-01T14:00:00-11:00", "2024-11-02T01:00:00Z"),
        ("2024-11-01T14:00:00", "2024-11-01T14:00:00Z"),
        ("2024-11-01T14:00:00.123456Z", "2024-11-01T14:00:00.123456Z"),
        ("2024-11-01t14:00:00z", "2024-11-01T14:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
async def test_a_timestamp_has_any_offset_and_comes_back_in_utc(api: Api, written: str, read: str) -> None:
    """RFC 3339 in, RFC 3339 with Z out; without an offset UTC is meant."""
    accepted = await api.accepted(SMS, sms(timestamp=written))
    assert (await api.message(accepted["message_id"]))["timestamp"] == read


async def test_a_message_without_a_timestamp_is_of_now(api: Api) -> None:
    """The timestamp is optional."""
    order = sms()
    del order["timestamp"]
    accepted = await api.accepted(SMS, order)
    moment = datetime.fromisoformat((await api.message(accepted["message_id"]))["timestamp"])
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


async def test_unknown_fields_are_ignored(api: Api) -> None:
    """Older and newer clients send more than we know."""
    await api.accepted(SMS, sms(campaign={"id": 7}, messaging_provider_id="m1"))


async def test_equal_texts_are_two_messages(api: Api) -> None:
    """Only an Idempotency-Key makes a repetition."""
    order = sms()
    first, second = await api.accepted(SMS, order), await api.accepted(SMS, order)
    assert first["message_id"] != second["message_id"]
    assert (await api.conversation(first["conversation_id"]))["message_count"] == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": ""}, "from"),
        ({"sender": "  "}, "from"),
        ({"recipient": "\t"}, "to"),
        ({"body": ""}, "body"),
        ({"body": " \n\u00a0"}, "body"),
        ({"body": None}, "body"),
        ({"type": "fax"}, "type"),
        ({"type": ""}, "type"),
        ({"type": "email"}, "type"),
        ({"type": "mms"}, "attachments"),
        ({"type": "mms", "attachments": []}, "attachments"),
        ({"attachments": [URL] * 9}, "attachments"),
        ({"attachments": ["ftp://example.com/a"]}, "attachments[0]"),
        ({"attachments": [URL, "not a url"]}, "attachments[1]"),
        ({"attachments": ["http://"]}, "attachments[0]"),
        ({"attachments": ["javascript:alert(1)"]}, "attachments[0]"),
        ({"sender": "12"}, "from"),
        ({"recipient": "not-a-number-at-all"}, "to"),
        ({"recipient": "+1201666123456789"}, "to"),
        ({"recipient": "ann@example.com"}, "to"),
        ({"recipient": "Hatch"}, "to"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2024-13-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp"),
    ],
)
async def test_a_wrong_sms_is_refused_by_its_field(api: Api, changes: dict[str, Any], field: str) -> None:
    """400 on its own route, 422 on the common one, and the field is named."""
    refused = await api.post(SMS, sms(**changes))
    assert (refused.status, refused.fields) == (400, [field])
    if changes.get("type") != "email":
        refused = await api.post(ANY, sms(**changes))
        assert (refused.status, refused.fields) == (422, [field])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": ""}, "from"),
        ({"recipient": " "}, "to"),
        ({"body": ""}, "body"),
        ({"sender": "ann"}, "from"),
        ({"recipient": "ann@"}, "to"),
        ({"recipient": "+18045551234"}, "to"),
        ({"recipient": "a b@example.com"}, "to"),
        ({"cc": ["nobody"]}, "cc[0]"),
        ({"bcc": ["ann@example.com", ""]}, "bcc[1]"),
        ({"reply_to": "?"}, "reply_to"),
        ({"attachments": ["file:///etc/passwd"]}, "attachments[0]"),
        ({"attachments": [URL] * 9}, "attachments"),
        ({"subject": 7}, "subject"),
    ],
)
async def test_a_wrong_email_is_refused_by_its_field(api: Api, changes: dict[str, Any], field: str) -> None:
    """400 on its own route, 422 on the common one, and the field is named."""
    refused = await api.post(EMAIL, email(**changes))
    assert (refused.status, refused.fields) == (400, [field])
    refused = await api.post(ANY, email(type="email", **changes))
    assert (refused.status, refused.fields) == (422, [field])


async def test_all_wrong_fields_are_named_at_once(api: Api) -> None:
    """Nobody should have to mend a request field by field."""
    refused = await api.post(SMS, {"type": "sms", "body": 5})
    assert set(refused.fields) == {"from", "to", "body"}
    refused = await api.post(SMS, sms(sender="", recipient="", body="", attachments=["x"]))
    assert set(refused.fields) == {"from", "to", "body", "attachments[0]"}


@pytest.mark.parametrize("path", [SMS, EMAIL, ANY])
@pytest.mark.parametrize("missing", ["from", "to", "body"])
async def test_a_missing_field_is_named(api: Api, path: str, missing: str) -> None:
    """From, to and body are needed on every send route."""
    order = (email if path == EMAIL else sms)(type="sms")
    del order[missing]
    refused = await api.post(path, order)
    assert (refused.status, refused.fields) == (422 if path == ANY else 400, [missing])


async def test_an_mms_may_have_an_empty_body(api: Api) -> None:
    """A picture says enough."""
    order = sms(type="mms", attachments=[URL], body="")
    assert (await api.message((await api.accepted(SMS, order))["message_id"]))["body"] == ""
    del order["body"]
    await api.accepted(SMS, order)


async def test_the_address_as_it_came_is_kept(api: Api, database: "asyncpg.Connection[Any]") -> None:
    """Formatting is removed for grouping, and nothing is lost by it."""
    digits = number()
    written = f" ({digits[2:5]}) {digits[5:8]}-{digits[8:]} "
    accepted = await api.accepted(SMS, sms(recipient=written))
    assert (await api.message(accepted["message_id"]))["to"] == digits
    assert (
        await database.fetchval("select to_raw from messages where id = $1", accepted["message_id"])
        == written
    )
