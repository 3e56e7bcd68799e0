"""Receiving: nothing that a provider brings is bounced for being odd, and nothing is stored twice."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.contract.client import Api, email_webhook, sms_webhook

SMS, EMAIL = "/api/webhooks/sms", "/api/webhooks/email"


@pytest.mark.parametrize(("path", "event"), [(SMS, sms_webhook()), (EMAIL, email_webhook())])
async def test_a_webhook_is_answered_with_its_place(api: Api, path: str, event: dict[str, Any]) -> None:
    """202 and the documented fields, with the provider's id."""
    accepted = await api.accepted(path, event)
    assert accepted == {
        "status": "accepted",
        "message_id": str(UUID(accepted["message_id"])),
        "conversation_id": str(int(accepted["conversation_id"])),
        "provider_message_id": event.get("messaging_provider_id") or event["xillio_id"],
        "duplicate": False,
    }
    message = await api.message(accepted["message_id"])
    assert (message["direction"], message["status"]) == ("inbound", "received")
    assert (message["from"], message["to"], message["body"]) == (event["from"], event["to"], event["body"])
    assert message["attachments"] == (event["attachments"] or [])
    assert message["timestamp"] == event["timestamp"]
    assert message["provider_message_id"] == accepted["provider_message_id"]


@pytest.mark.parametrize(("path", "event"), [(SMS, sms_webhook()), (EMAIL, email_webhook())])
async def test_a_repeated_webhook_is_stored_once(api: Api, path: str, event: dict[str, Any]) -> None:
    """Unique per provider and provider message id; a repetition is answered 202 and says what it is."""
    first = await api.accepted(path, event)
    again = await api.accepted(path, event | {"body": "another text"})
    assert again == first | {"duplicate": True}
    assert (await api.message(first["message_id"]))["body"] == event["body"]
    assert (await api.conversation(first["conversation_id"]))["message_count"] == 1


async def test_two_providers_may_use_the_same_id(api: Api) -> None:
    """An id is one provider's own."""
    first = await api.accepted(SMS, sms_webhook(messaging_provider_id="shared"))
    other = await api.accepted(EMAIL, email_webhook(xillio_id="shared"))
    assert not first["duplicate"]
    assert not other["duplicate"]


@pytest.mark.parametrize("id", [None, ""])
async def test_webhooks_without_an_id_are_all_stored(api: Api, id: str | None) -> None:
    """Equal texts are two messages; only an id tells a repetition."""
    event = sms_webhook(messaging_provider_id=id)
    first, second = await api.accepted(SMS, event), await api.accepted(SMS, event)
    assert first["message_id"] != second["message_id"]
    assert not second["duplicate"]


@pytest.mark.parametrize(
    "changes",
    [
        {"body": ""},
        {"body": None},
        {"type": "mms"},
        {"type": "mms", "attachments": [], "body": ""},
        {"type": "fax"},
        {"attachments": ["https://example.com/a"] * 30},
        {"attachments": ["not a url"]},
        {"sender": "Bank"},
        {"sender": "72975"},
        {"sender": "anonymous caller, number withheld"},
        {"recipient": "+999"},
        {"surprise": [1, 2, {"deep": None}]},
        {"timestamp": None},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_odd_webhooks_are_stored(api: Api, changes: dict[str, Any]) -> None:
    """A provider cannot mend what its sender wrote."""
    accepted = await api.accepted(SMS, sms_webhook(**changes))
    message = await api.message(accepted["message_id"])
    assert message["body"] == (changes.get("body", message["body"]) or "")
    assert message["attachments"] == (changes.get("attachments") or [])


@pytest.mark.parametrize(
    "changes", [{"body": ""}, {"sender": "MAILER-DAEMON"}, {"recipient": "undisclosed:;"}]
)
async def test_odd_emails_are_stored(api: Api, changes: dict[str, Any]) -> None:
    """Bounces have no sender that could be replied to, and are mail all the same."""
    await api.accepted(EMAIL, email_webhook(**changes))


@pytest.mark.parametrize(
    ("path", "event", "fields"),
    [
        (SMS, sms_webhook(sender=" "), ["from"]),
        (SMS, sms_webhook(recipient=""), ["to"]),
        (SMS, sms_webhook(sender=None), ["from"]),
        (SMS, sms_webhook(body=7, attachments="x"), ["body", "attachments"]),
        (SMS, {"hello": "world"}, ["from", "to"]),
        (SMS, [1, 2], ["body"]),
        (EMAIL, email_webhook(timestamp="soon"), ["timestamp"]),
    ],
)
async def test_what_cannot_be_understood_is_refused_and_kept(
    api: Api, database: "asyncpg.Connection[Any]", path: str, event: Any, fields: list[str]
) -> None:
    """400 that names the fields; the raw request stays, to be run again after a fix."""
    refused = await api.post(path, event)
    assert (refused.status, refused.json["code"]) == (400, "invalid_request")
    assert refused.fields == fields
    kept = await database.fetchrow(
        "select body, state, error from inbound_events order by received_at desc limit 1"
    )
    assert kept is not None
    assert (json.loads(kept["body"]), kept["state"]) == (event, "unparsed")
    assert kept["error"]


async def test_the_raw_webhook_is_kept_as_it_came(api: Api, database: "asyncpg.Connection[Any]") -> None:
    """A later version may understand more of it."""
    event = sms_webhook(surprise="kept")
    await api.accepted(SMS, event)
    kept = await database.fetch(
        "select body from inbound_events where position($1 in body) > 0", event["from"].encode()
    )
    assert [json.loads(row["body"]) for row in kept] == [event]


async def test_an_email_keeps_its_subject_and_copies(api: Api) -> None:
    """Whatever a mail says of itself is stored with it."""
    accepted = await api.accepted(EMAIL, email_webhook(subject="Re: Hello", cc=["Carl <carl@example.com>"]))
    message = await api.message(accepted["message_id"])
    assert (message["subject"], message["cc"]) == ("Re: Hello", ["Carl <carl@example.com>"])
