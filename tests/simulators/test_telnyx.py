"""Telnyx's own SDK cannot tell the simulator from Telnyx."""

import asyncio
from typing import Any

import pytest
from telnyx import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    Telnyx,
    UnprocessableEntityError,
)
from telnyx.lib.webhook_verification import WebhookVerificationError

from tests.simulators.sdks import THEM, US, with_telnyx
from tests.simulators.stage import Catcher, Stage


def code_of(error: APIStatusError) -> str:
    """The code of the first error of a body."""
    body: Any = error.response.json()
    return str(body["errors"][0]["code"])


async def test_a_sent_message_has_every_property_of_telnyxs(sim: Stage) -> None:
    """The answer to a send is Telnyx's message, queued."""
    data = (await with_telnyx(sim, lambda client: client.messages.send(to=THEM, from_=US, text="Hello"))).data
    assert data is not None
    assert data.to is not None
    assert data.from_ is not None
    assert (data.type, data.direction, data.parts, data.encoding) == ("SMS", "outbound", 1, "GSM-7")
    assert (data.to[0].phone_number, data.to[0].status) == (THEM, "queued")
    assert (data.from_.phone_number, data.text) == (US, "Hello")


async def test_webhooks_pass_the_sdks_verification_and_tell_the_course(sim: Stage, catcher: Catcher) -> None:
    """Signed with Ed25519 over timestamp and body; sent, then finalized."""
    url = f"{catcher.url}/telnyx?message_id=0190-c"
    made = await with_telnyx(
        sim, lambda client: client.messages.send(to=THEM, from_=US, text="Hello", webhook_url=url)
    )
    assert made.data is not None
    calls = await catcher.first(2)

    def unwrap(client: Telnyx) -> list[Any]:
        return [client.webhooks.unwrap(call.body.decode(), headers=call.headers) for call in calls]

    unwrapped = await with_telnyx(sim, unwrap)
    assert [event.data.event_type for event in unwrapped] == ["message.sent", "message.finalized"]
    assert [event.data.payload.to[0].status for event in unwrapped] == ["sent", "delivered"]
    assert {event.data.payload.id for event in unwrapped} == {made.data.id}
    forged = calls[0].body.decode().replace("Hello", "Bye")
    with pytest.raises(WebhookVerificationError, match="does not match"):
        await with_telnyx(sim, lambda client: client.webhooks.unwrap(forged, headers=calls[0].headers))
    assert (await sim.get("ledger"))["entries"][0]["message_id"] == "0190-c"


async def test_a_message_can_be_fetched_until_it_is_delivered(sim: Stage) -> None:
    """GET by id shows how far the message has come."""
    made = await with_telnyx(sim, lambda client: client.messages.send(to=THEM, from_=US, text="Hello"))
    assert made.data is not None
    id = str(made.data.id)

    def status(client: Telnyx) -> str:
        found: Any = client.messages.retrieve(id)
        return str(found.data.to[0].status)

    async with asyncio.timeout(5):
        while await with_telnyx(sim, status) != "delivered":
            pass


async def test_numbers_that_name_a_failure_end_in_it(sim: Stage, catcher: Catcher) -> None:
    """+150055 and a code is taken, and then fails with that code."""
    await with_telnyx(
        sim,
        lambda client: client.messages.send(
            to="+15005540008", from_=US, text="x", webhook_url=f"{catcher.url}/t"
        ),
    )
    calls = await catcher.first(2)
    payload = calls[1].json()["data"]["payload"]
    assert (payload["to"][0]["status"], payload["errors"][0]["code"]) == ("delivery_failed", "40008")


async def test_an_idempotency_key_gets_the_first_success_again(sim: Stage) -> None:
    """The same key with the same body is one message; with another body it is refused."""

    def send(client: Telnyx, text: str) -> Any:
        return client.messages.send(to=THEM, from_=US, text=text, idempotency_key="k-1")

    first = await with_telnyx(sim, lambda client: send(client, "one"))
    again = await with_telnyx(sim, lambda client: send(client, "one"))
    assert first.data.id == again.data.id
    with pytest.raises(UnprocessableEntityError):
        await with_telnyx(sim, lambda client: send(client, "two"))
    assert (await sim.get("ledger/summary"))["accepted"] == 1


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"to": "", "from_": US, "text": "x"}, UnprocessableEntityError, "10004"),
        ({"to": THEM, "text": "x"}, UnprocessableEntityError, "10004"),
        ({"to": THEM, "from_": US}, UnprocessableEntityError, "10004"),
        ({"to": "12", "from_": US, "text": "x"}, BadRequestError, "40310"),
        ({"to": THEM, "from_": "?", "text": "x"}, BadRequestError, "40305"),
        ({"to": THEM, "from_": US, "text": "x" * 1601}, BadRequestError, "40302"),
        ({"to": THEM, "from_": US, "text": "x", "webhook_url": "no"}, UnprocessableEntityError, "10003"),
    ],
)
async def test_bad_requests_raise_the_sdks_exception_with_telnyxs_code(
    sim: Stage, fields: dict[str, Any], error: type[APIStatusError], code: str
) -> None:
    """Each rule has Telnyx's own code, and nothing reaches the ledger."""
    with pytest.raises(error) as raised:
        await with_telnyx(sim, lambda client: client.messages.send(**fields))
    assert code_of(raised.value) == code
    assert (await sim.get("ledger/summary"))["accepted"] == 0


async def test_wrong_keys_and_unknown_messages_are_refused(sim: Stage) -> None:
    """401 and 404 as Telnyx says them."""
    with pytest.raises(AuthenticationError) as raised:
        await with_telnyx(sim, lambda client: client.messages.send(to=THEM, from_=US, text="x"), key="no")
    assert code_of(raised.value) == "10009"
    with pytest.raises(NotFoundError):
        await with_telnyx(sim, lambda client: client.messages.retrieve("nothing"))


async def test_a_429_is_the_sdks_rate_limit_error(sim: Stage) -> None:
    """With Retry-After, and without it where the vendor keeps it to himself."""
    await sim.faults(telnyx={"scenario": ["ratelimit", "ratelimit_bare"], "retry_after_secs": 7})
    waits = []
    for _ in range(2):
        with pytest.raises(RateLimitError) as raised:
            await with_telnyx(sim, lambda client: client.messages.send(to=THEM, from_=US, text="x"))
        waits.append(raised.value.response.headers.get("retry-after"))
    assert waits == ["7", None]
