"""SendGrid's own SDK cannot tell the simulator from SendGrid."""

import asyncio
from io import BytesIO
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError, ForbiddenError, HTTPError, UnauthorizedError
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import Attachment, Bcc, Cc, CustomArg, Mail

from parley.simulators import credentials
from tests.simulators.sdks import sendgrid_client
from tests.simulators.stage import Catcher, Caught, Stage


def mail(to: str = "ann@example.com", sender: str = "shop@example.com", **parts: Any) -> Any:
    """A mail with our id in its custom arguments."""
    made = Mail(sender, to, parts.pop("subject", "Hello"), parts.pop("text", "Body"))
    made.add_custom_arg(CustomArg("parley_message_id", parts.pop("our_id", "0190-b")))
    return made


async def send(sim: Stage, made: Any, key: str = credentials.SENDGRID_API_KEY) -> Any:
    """Send with the SDK, which blocks, in a thread."""
    return await asyncio.to_thread(sendgrid_client(sim, key).send, made)


async def refused(sim: Stage, made: Any, error: type[HTTPError], **options: str) -> dict[str, Any]:
    """The first error of the body that comes with a refusal."""
    with pytest.raises(error) as raised:
        await send(sim, made, **options)
    first: dict[str, Any] = raised.value.to_dict["errors"][0]
    return first


def events(caught: list[Caught]) -> list[dict[str, Any]]:
    """All events of all arrays."""
    return [event for call in caught for event in call.json()]


async def test_a_mail_is_accepted_without_a_body_and_named_in_a_header(sim: Stage) -> None:
    """202, nothing, X-Message-Id; the ledger knows our id from the custom arguments."""
    answer = await send(sim, mail())
    assert (answer.status_code, answer.body) == (202, b"")
    entry = (await sim.get("ledger"))["entries"][0]
    assert entry["vendor_id"] == answer.headers["X-Message-Id"]
    assert (entry["message_id"], entry["to"], entry["body"]) == ("0190-b", "ann@example.com", "Body")


async def test_events_come_as_signed_arrays_with_our_arguments_flat(sim: Stage, catcher: Catcher) -> None:
    """SendGrid's validator accepts the array to the byte; sg_message_id begins with X-Message-Id."""
    answer = await send(sim, mail())
    caught = await catcher.until(lambda calls: len(events(calls)) >= 2)
    webhook = EventWebhook(credentials.SENDGRID_PUBLIC_KEY)
    for call in caught:
        signature = call.headers["x-twilio-email-event-webhook-signature"]
        timestamp = call.headers["x-twilio-email-event-webhook-timestamp"]
        assert webhook.verify_signature(call.body.decode(), signature, timestamp)
        assert not webhook.verify_signature(call.body.decode() + " ", signature, timestamp)
        assert call.url == f"{catcher.url}/api/webhooks/sendgrid/events"
    found = events(caught)
    assert [event["event"] for event in found] == ["processed", "delivered"]
    assert {event["parley_message_id"] for event in found} == {"0190-b"}
    assert {event["sg_message_id"].partition(".")[0] for event in found} == {answer.headers["X-Message-Id"]}
    assert len({event["sg_event_id"] for event in found}) == 2


async def test_every_recipient_has_events_and_many_share_one_post(sim: Stage, catcher: Catcher) -> None:
    """To, cc and bcc are told apart by `email`; events of one moment travel together."""
    made = mail()
    made.add_cc(Cc("bob@example.com"))
    made.add_bcc(Bcc("cyd@example.com"))
    await send(sim, made)
    caught = await catcher.until(lambda calls: len(events(calls)) >= 6)
    assert {event["email"] for event in events(caught)} == {
        "ann@example.com",
        "bob@example.com",
        "cyd@example.com",
    }
    assert len(caught) < 6


@pytest.mark.parametrize(
    ("name", "course"),
    [
        ("bounce", ["processed", "bounce"]),
        ("block", ["processed", "bounce"]),
        ("drop", ["dropped"]),
        ("defer", ["processed", "deferred", "delivered"]),
        ("spam", ["processed", "delivered", "spamreport"]),
    ],
)
async def test_addresses_that_name_a_fate_meet_it(
    sim: Stage, catcher: Catcher, name: str, course: list[str]
) -> None:
    """`bounce@…` and its like are accepted, and then go wrong as named."""
    await send(sim, mail(to=f"{name}@example.com"))
    caught = await catcher.until(lambda calls: len(events(calls)) >= len(course))
    assert [event["event"] for event in events(caught)] == course


async def test_wrong_keys_and_unverified_senders_are_refused(sim: Stage) -> None:
    """401 for a key that is not known, 403 for a sender that is not verified."""
    first = await refused(sim, mail(), UnauthorizedError, key="SG.other")
    assert first["message"] == "The provided authorization grant is invalid, expired, or revoked"
    first = await refused(sim, mail(sender="unverified@example.com"), ForbiddenError)
    assert first["field"] == "from"
    assert (await sim.get("ledger/summary"))["accepted"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "no"}]}]}, "personalizations.0.to.0.email"),
        (
            {"personalizations": [{"to": [{"email": "a@b.io"}], "cc": [{"email": "A@b.io"}]}]},
            "personalizations.0",
        ),
        ({"from": {"email": ""}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"attachments": [{"filename": "a", "content": "not base64!"}]}, "attachments.0.content"),
        ({"categories": ["c"] * 11}, "categories"),
        ({"send_at": 99999999999}, "send_at"),
        ({"subject": 7}, "subject"),
    ],
)
async def test_bad_mails_raise_the_sdks_exception_and_name_the_field(
    sim: Stage, change: dict[str, Any], field: str
) -> None:
    """Each rule names the field as SendGrid does."""
    first = await refused(sim, {**mail().get(), **change}, BadRequestsError)
    assert first["field"] == field
    assert (await sim.get("ledger/summary"))["accepted"] == 0


async def test_attachments_are_taken_and_the_sandbox_only_checks(sim: Stage) -> None:
    """A sandboxed mail is answered 200 and is in no ledger."""
    made = mail()
    made.add_attachment(Attachment("aGVsbG8=", "a.txt", "text/plain"))
    assert (await send(sim, made)).status_code == 202
    sandboxed = {**made.get(), "mail_settings": {"sandbox_mode": {"enable": True}}}
    assert (await send(sim, sandboxed)).status_code == 200
    assert (await sim.get("ledger/summary"))["accepted"] == 1


async def test_a_mail_beyond_the_limit_is_413(sim: Stage) -> None:
    """30 MB are the most, said in SendGrid's words."""
    headers = {"Authorization": f"Bearer {credentials.SENDGRID_API_KEY}", "Content-Type": "application/json"}
    async with sim.http.post(
        f"{sim.url}/sendgrid/v3/mail/send", data=BytesIO(b" " * 31_457_281), headers=headers
    ) as answer:
        assert answer.status == 413
        assert (await answer.json())["errors"][0]["message"]


async def test_the_public_key_can_be_asked_for(sim: Stage) -> None:
    """As from SendGrid's settings."""
    client = sendgrid_client(sim).client
    answer = await asyncio.to_thread(client.user.webhooks.event.settings.signed.get)
    assert answer.to_dict == {"public_key": credentials.SENDGRID_PUBLIC_KEY}
