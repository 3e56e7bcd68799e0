"""Twilio's own SDK cannot tell the simulator from Twilio."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from parley.simulators import credentials
from tests.simulators.sdks import THEM, US, with_twilio
from tests.simulators.stage import Catcher, Stage


async def refused(sim: Stage, **fields: Any) -> TwilioRestException:
    """The exception that creating a message raises."""
    with pytest.raises(TwilioRestException) as raised:
        await with_twilio(sim, lambda client: client.messages.create(**fields))
    return raised.value


async def test_a_created_message_has_every_property_of_twilios(sim: Stage) -> None:
    """The answer to a create is Twilio's Message resource, queued."""
    message = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="Hé {x}"))
    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert (message.status, message.direction, message.num_segments) == ("queued", "outbound-api", "1")
    assert (message.to, message.from_, message.body) == (THEM, US, "Hé {x}")
    assert (message.error_code, message.price, message.date_sent) == (None, None, None)
    assert message.date_created > datetime.now(UTC) - timedelta(seconds=10)
    assert message.account_sid == credentials.TWILIO_ACCOUNT_SID


async def test_segments_are_counted_as_they_are_charged(sim: Stage) -> None:
    """153 septets a part, two for a brace; one emoji turns the text into UCS-2."""
    long = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="a" * 307))
    odd = await with_twilio(
        sim, lambda client: client.messages.create(to=THEM, from_=US, body="a" * 69 + "😀")
    )
    assert (long.num_segments, odd.num_segments) == ("3", "2")


async def test_a_message_is_delivered_in_time_and_can_be_fetched(sim: Stage, catcher: Catcher) -> None:
    """Fetch shows how far the message has come, without any callback asked for."""
    made = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="hi"))
    async with asyncio.timeout(5):
        while (
            now := await with_twilio(sim, lambda client: client.messages(made.sid).fetch())
        ).status != "delivered":
            pass
    assert now.price == "-0.00790"
    assert now.date_sent is not None


async def test_status_callbacks_are_signed_and_never_tell_the_first_status(
    sim: Stage, catcher: Catcher
) -> None:
    """Twilio's validator accepts `sent` and `delivered`; `queued` is in the answer already and not called back."""
    url = f"{catcher.url}/twilio/status?message_id=0190-a&x=%20y"
    made = await with_twilio(
        sim, lambda client: client.messages.create(to=THEM, from_=US, body="hi", status_callback=url)
    )
    calls = await catcher.first(2)
    assert [call.form()["MessageStatus"] for call in calls] == ["sent", "delivered"]
    validator = RequestValidator(credentials.TWILIO_AUTH_TOKEN)
    for call in calls:
        assert call.url == url
        assert call.form()["MessageSid"] == made.sid
        assert validator.validate(url, call.form(), call.headers["x-twilio-signature"])
        assert not validator.validate(url, {**call.form(), "To": "+1"}, call.headers["x-twilio-signature"])
    assert calls[1].form()["RawDlrDoneDate"]
    entry = (await sim.get("ledger"))["entries"][0]
    assert (entry["message_id"], entry["vendor_id"]) == ("0190-a", made.sid)


async def test_a_messaging_service_accepts_then_queues(sim: Stage, catcher: Catcher) -> None:
    """With a service the sender is not known yet, and `queued` is a change that is called back."""
    made = await with_twilio(
        sim,
        lambda client: client.messages.create(
            to=THEM, messaging_service_sid="MG" + "0" * 32, body="hi", status_callback=f"{catcher.url}/s"
        ),
    )
    assert (made.status, made.from_, made.num_segments) == ("accepted", None, "0")
    calls = await catcher.first(3)
    assert [call.form()["MessageStatus"] for call in calls] == ["queued", "sent", "delivered"]


@pytest.mark.parametrize(
    ("code", "status"), [(30003, "undelivered"), (30007, "undelivered"), (30001, "failed")]
)
async def test_numbers_that_name_a_failure_end_in_it(
    sim: Stage, catcher: Catcher, code: int, status: str
) -> None:
    """+150055 and a code is taken, and then fails with that code."""
    made = await with_twilio(
        sim,
        lambda client: client.messages.create(
            to=f"+150055{code}", from_=US, body="hi", status_callback=f"{catcher.url}/s"
        ),
    )
    calls = await catcher.until(lambda caught: any("ErrorCode" in call.form() for call in caught))
    assert (calls[-1].form()["MessageStatus"], calls[-1].form()["ErrorCode"]) == (status, str(code))
    fetched = await with_twilio(sim, lambda client: client.messages(made.sid).fetch())
    assert (fetched.status, fetched.error_code) == (status, code)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": US, "body": "x"}, 21604),
        ({"to": THEM, "body": "x"}, 21603),
        ({"to": THEM, "from_": US}, 21602),
        ({"to": THEM, "from_": US, "body": "x" * 1601}, 21617),
        ({"to": "garbage", "from_": US, "body": "x"}, 21211),
        ({"to": "+15005550001", "from_": US, "body": "x"}, 21211),
        ({"to": "+15005550009", "from_": US, "body": "x"}, 21614),
        ({"to": THEM, "from_": "???", "body": "x"}, 21212),
        ({"to": THEM, "from_": "+15005550007", "body": "x"}, 21606),
        ({"to": THEM, "from_": THEM, "body": "x"}, 21266),
        ({"to": THEM, "from_": US, "body": "x", "status_callback": "http://no_way.example/"}, 21609),
        ({"to": THEM, "from_": US, "media_url": ["nowhere"]}, 21620),
        ({"to": THEM, "from_": US, "media_url": ["http://a.example/b.png"] * 11}, 21623),
        ({"to": THEM, "from_": US, "body": "x", "schedule_type": "fixed"}, 35118),
        ({"to": THEM, "messaging_service_sid": "MG1", "body": "x"}, 21703),
    ],
)
async def test_bad_requests_raise_the_sdks_exception_with_twilios_code(
    sim: Stage, fields: dict[str, Any], code: int
) -> None:
    """Each rule has Twilio's own code, and nothing reaches the ledger."""
    error = await refused(sim, **fields)
    assert (error.status, error.code) == (400, code)
    assert (await sim.get("ledger/summary"))["accepted"] == 0


async def test_wrong_credentials_are_refused(sim: Stage) -> None:
    """Without the account's token nothing is taken, nothing shown."""
    with pytest.raises(TwilioRestException) as raised:
        await with_twilio(sim, lambda client: client.messages("SM1").fetch(), token="wrong")
    assert (raised.value.status, raised.value.code) == (401, 20003)


async def test_an_unknown_message_is_not_found(sim: Stage) -> None:
    """A sid that was never given is 20404."""
    with pytest.raises(TwilioRestException) as raised:
        await with_twilio(sim, lambda client: client.messages("SM" + "0" * 32).fetch())
    assert (raised.value.status, raised.value.code) == (404, 20404)


async def test_listing_filters_and_pages_newest_first(sim: Stage) -> None:
    """To, From and DateSent narrow a list, and the SDK walks its pages to the end."""
    other = "+12016669999"

    def send(client: Any) -> None:
        for number in range(7):
            client.messages.create(to=THEM, from_=US, body=f"n{number}")
        client.messages.create(to=other, from_=US, body="other")

    await with_twilio(sim, send)
    soon = datetime.now(UTC) + timedelta(hours=1)
    ago = datetime.now(UTC) - timedelta(hours=1)
    paged = await with_twilio(sim, lambda client: client.messages.list(to=THEM, page_size=3))
    assert [message.body for message in paged] == [f"n{number}" for number in range(6, -1, -1)]
    assert len(await with_twilio(sim, lambda client: client.messages.list(from_=US, page_size=5))) == 8
    assert await with_twilio(sim, lambda client: client.messages.list(from_=other)) == []
    assert len(await with_twilio(sim, lambda client: client.messages.list(to=THEM, date_sent_after=ago))) == 7
    assert await with_twilio(sim, lambda client: client.messages.list(to=THEM, date_sent_after=soon)) == []
    assert await with_twilio(sim, lambda client: client.messages.list(to=THEM, date_sent_before=ago)) == []


async def test_media_are_listed_and_can_be_downloaded(sim: Stage) -> None:
    """An MMS has its media as resources; their bytes are found behind a redirect, as at Twilio's."""
    urls = ["https://example.com/one.png", "https://example.com/two.pdf"]
    made = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, media_url=urls))
    assert (made.sid[:2], made.num_media) == ("MM", "2")
    media = await with_twilio(sim, lambda client: client.messages(made.sid).media.list())
    assert [medium.content_type for medium in media] == ["image/png", "application/pdf"]
    again = await with_twilio(sim, lambda client: client.messages(made.sid).media(media[0].sid).fetch())
    assert again.parent_sid == made.sid
    address = f"{sim.url}/twilio{media[0].uri.removesuffix('.json')}"
    async with sim.http.get(address) as answer:
        assert answer.history[0].status == 307
        assert answer.content_type == "image/png"
        assert (await answer.read()).startswith(b"\x89PNG")


async def test_a_body_can_be_redacted_and_a_scheduled_message_canceled(sim: Stage) -> None:
    """Twilio's two updates; a message under way cannot be called back."""
    made = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="secret"))
    assert (await with_twilio(sim, lambda client: client.messages(made.sid).update(body=""))).body == ""
    with pytest.raises(TwilioRestException, match="canceled"):
        await with_twilio(sim, lambda client: client.messages(made.sid).update(status="canceled"))
    planned = await with_twilio(
        sim,
        lambda client: client.messages.create(
            to=THEM,
            messaging_service_sid="MG" + "0" * 32,
            body="later",
            schedule_type="fixed",
            send_at=datetime.now(UTC) + timedelta(hours=1),
        ),
    )
    assert planned.status == "scheduled"
    canceled = await with_twilio(sim, lambda client: client.messages(planned.sid).update(status="canceled"))
    assert canceled.status == "canceled"


async def test_a_deleted_message_is_gone_but_stays_in_the_ledger(sim: Stage) -> None:
    """Deleting is for the vendor's view; what was accepted stays counted."""
    made = await with_twilio(sim, lambda client: client.messages.create(to=THEM, from_=US, body="x"))
    assert await with_twilio(sim, lambda client: client.messages(made.sid).delete())
    assert await with_twilio(sim, lambda client: client.messages.list(to=THEM)) == []
    assert (await sim.get("ledger/summary"))["accepted"] == 1
