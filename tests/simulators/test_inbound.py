"""Messages from people arrive as the contract's generic webhook or as the vendor's own, signed."""

from email import message_from_string
from typing import Any

import pytest
from telnyx import BadRequestError, Telnyx
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from parley.simulators import credentials
from tests.simulators.sdks import THEM, US, with_telnyx, with_twilio
from tests.simulators.stage import Catcher, Caught, Stage

WRITES: dict[str, Any] = {"channel": "sms", "from": THEM, "to": US, "body": "Hello"}
MAILS: dict[str, Any] = {
    "channel": "email",
    "from": "Ann <ann@example.com>",
    "to": "shop@example.com",
    "subject": "Grüße",
    "body": "Hello",
}


def parts(caught: Caught) -> dict[str, Any]:
    """The parts of a multipart form: texts, and (file name, type, bytes) of files."""
    content_type = f"Content-Type: {caught.headers['content-type']}\n\n"
    mail = message_from_string(content_type + caught.body.decode("latin-1"))
    found: dict[str, Any] = {}
    for part in mail.get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        file = part.get_filename()
        found[str(name)] = (file, part.get_content_type(), payload) if file else payload.decode()
    return found


async def test_a_generic_sms_carries_its_provider_id(sim: Stage, catcher: Catcher) -> None:
    """The contract's own words; the answer tells what became of it."""
    heard = await sim.inbound(**WRITES, attachments=None, timestamp="2026-01-02T03:04:05Z")
    assert (heard["status"], heard["answer"]) == (200, {"status": "accepted"})
    call = catcher.caught[0]
    assert call.url == f"{catcher.url}/api/webhooks/sms"
    assert call.json() == {
        "from": THEM,
        "to": US,
        "type": "sms",
        "body": "Hello",
        "attachments": None,
        "timestamp": "2026-01-02T03:04:05Z",
        "messaging_provider_id": heard["provider_message_id"],
    }


async def test_a_generic_email_carries_xillio_id_and_subject(sim: Stage, catcher: Catcher) -> None:
    """A given provider id is used, so that a repeat can be tried."""
    for _ in range(2):
        await sim.inbound(**MAILS, provider_message_id="m-1")
    assert [call.json()["xillio_id"] for call in catcher.caught] == ["m-1", "m-1"]
    assert catcher.caught[0].url == f"{catcher.url}/api/webhooks/email"
    assert catcher.caught[0].json()["subject"] == "Grüße"


async def test_a_twilio_message_is_signed_listed_and_has_media(sim: Stage, catcher: Catcher) -> None:
    """Twilio's validator accepts it; its media are Twilio's own addresses; it can be fetched and listed."""
    heard = await sim.inbound(**WRITES, target="vendor", attachments=["https://example.com/cat.jpg"])
    call = catcher.caught[0]
    form = call.form()
    assert call.url == f"{catcher.url}/api/webhooks/twilio"
    validator = RequestValidator(credentials.TWILIO_AUTH_TOKEN)
    assert validator.validate(call.url, form, call.headers["x-twilio-signature"])
    assert (form["NumMedia"], form["MediaContentType0"], form["Body"]) == ("1", "image/jpeg", "Hello")
    async with sim.http.get(form["MediaUrl0"]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
    listed = await with_twilio(sim, lambda client: client.messages.list(to=US))
    assert [(message.sid, message.direction) for message in listed] == [
        (heard["provider_message_id"], "inbound")
    ]


async def test_a_telnyx_message_passes_the_sdks_verification(sim: Stage, catcher: Catcher) -> None:
    """message.received, signed."""
    heard = await sim.inbound(**WRITES, target="vendor", vendor="telnyx")
    call = catcher.caught[0]

    def unwrap(client: Telnyx) -> Any:
        return client.webhooks.unwrap(call.body.decode(), headers=call.headers)

    event = await with_telnyx(sim, unwrap)
    assert call.url == f"{catcher.url}/api/webhooks/telnyx"
    assert (event.data.event_type, event.data.payload.text) == ("message.received", "Hello")
    assert event.data.payload.id == heard["provider_message_id"]
    found: Any = await with_telnyx(sim, lambda client: client.messages.retrieve(event.data.payload.id))
    assert found.data.direction == "inbound"


async def test_telnyx_tells_when_the_person_wrote(sim: Stage, catcher: Catcher) -> None:
    """The moment given, in whatever zone."""
    await sim.inbound(**WRITES, target="vendor", vendor="telnyx", timestamp="2026-01-02T03:04:05+01:00")
    data = catcher.caught[0].json()["data"]
    assert data["occurred_at"] == data["payload"]["received_at"] == "2026-01-02T02:04:05.000+00:00"


async def test_a_parsed_mail_has_the_fields_of_inbound_parse(sim: Stage, catcher: Catcher) -> None:
    """Multipart, envelope as JSON, header block, files; the token is in the query."""
    await sim.inbound(
        **MAILS,
        target="vendor",
        attachments=["https://example.com/a.pdf"],
        headers={"In-Reply-To": "<x@example.com>\r\nBcc: sneaky@example.com"},
    )
    call = catcher.caught[0]
    token = credentials.SENDGRID_INBOUND_TOKEN
    assert call.url == f"{catcher.url}/api/webhooks/sendgrid/inbound?token={token}"
    found = parts(call)
    assert found["envelope"] == '{"to":["shop@example.com"],"from":"ann@example.com"}'
    assert (found["subject"], found["text"], found["attachments"]) == ("Grüße", "Hello", "1")
    assert found["attachment1"][:2] == ("a.pdf", "application/pdf")
    headers = message_from_string(found["headers"])
    assert headers["Message-ID"]
    assert headers["In-Reply-To"].startswith("<x@example.com>")
    assert headers["Bcc"] is None


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "QUIT"])
async def test_stop_blocks_the_pair_and_start_lifts_it(sim: Stage, catcher: Catcher, word: str) -> None:
    """Only this person and this sender, and only until START."""
    await sim.inbound(**{**WRITES, "body": word}, target="vendor")
    blocked = {"to": THEM, "from_": US, "body": "x"}
    with pytest.raises(TwilioRestException) as raised:
        await with_twilio(sim, lambda client: client.messages.create(**blocked))
    assert raised.value.code == 21610
    await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_="+18045550000", body="x"))
    await sim.inbound(**{**WRITES, "body": "start"}, target="vendor")
    await with_twilio(sim, lambda client: client.messages.create(**blocked))


async def test_a_sentence_with_stop_in_it_is_no_keyword(sim: Stage, catcher: Catcher) -> None:
    """Carriers act on the single word."""
    await sim.inbound(**{**WRITES, "body": "please stop by tomorrow"}, target="vendor")
    await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="x"))


@pytest.mark.parametrize("order", [WRITES, {**WRITES, "vendor": "telnyx"}, MAILS])
@pytest.mark.parametrize(
    "odd", ["", "\r\nX-Evil: 1", "http://[", '"\\\x00', "9999-12-31T23:59:59-23:59", "日本😀"]
)
async def test_no_odd_text_stops_an_inbound_message(
    sim: Stage, catcher: Catcher, order: dict[str, Any], odd: str
) -> None:
    """It arrives, however odd, and never as somebody else's header."""
    odd_order = {
        **order,
        "body": odd,
        "subject": odd,
        "timestamp": odd,
        "attachments": [odd],
        "provider_message_id": odd,
        "headers": {"X-Odd": odd},
    }
    assert (await sim.inbound(**odd_order, target="vendor"))["status"] == 200
    assert (await sim.inbound(**odd_order))["status"] == 200
    assert all("x-evil" not in call.headers for call in catcher.caught)


async def test_the_receivers_refusal_is_reported(sim: Stage, catcher: Catcher) -> None:
    """The status is the webhook's, not the control interface's."""
    catcher.answers = [503]
    assert (await sim.inbound(**WRITES))["status"] == 503


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({}, "channel"),
        ({**WRITES, "channel": "fax"}, "channel"),
        ({"channel": "sms", "to": US}, "from"),
        ({**WRITES, "body": 7}, "body"),
        ({**WRITES, "vendor": "sendgrid"}, "vendor"),
        ({**MAILS, "vendor": "twilio"}, "vendor"),
        ([], "body"),
    ],
)
async def test_a_bad_order_is_refused_by_name(sim: Stage, order: Any, field: str) -> None:
    """400 with the field that is wrong; nothing is posted."""
    async with sim.http.post(f"{sim.url}/control/inbound", json=order) as answer:
        assert answer.status == 400
        assert (await answer.json())["details"][0]["field"] == field


async def test_a_block_at_one_vendor_is_none_at_another(sim: Stage, catcher: Catcher) -> None:
    """Each vendor knows only what was said to it."""
    await sim.inbound(**{**WRITES, "body": "STOP"}, target="vendor", vendor="telnyx")
    await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="x"))
    with pytest.raises(BadRequestError, match="40300"):
        await with_telnyx(sim, lambda client: client.messages.send(to=THEM, from_=US, text="x"))
