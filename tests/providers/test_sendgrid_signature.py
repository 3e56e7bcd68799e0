"""SendGrid's signature and token: what its own kit accepts we accept, and what was tampered with we refuse."""

from base64 import b64encode

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sendgrid.helpers.eventwebhook import EventWebhook

from parley.core.webhook import Webhook
from tests.providers.signing import BAD_TIMES, NOW, STAMP, URL, believes
from tests.providers.vendors import SECRETS, SENDGRID_PUBLIC, provider, sendgrid_key

EVENTS = '[{"event":"delivered","email":"zoë@example.com"}]\r\n'.encode()


def events(body: bytes = EVENTS, stamp: str = STAMP, signature: str | None = None) -> Webhook:
    """Events that SendGrid posts."""
    made = b64encode(sendgrid_key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": made if signature is None else signature,
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    return Webhook(method="POST", url=URL + "sendgrid", headers=headers, body=body)


def sendgrid_kit_accepts(webhook: Webhook) -> bool:
    """What SendGrid's own kit says of a signature."""
    signature, stamp = list(webhook.headers.values())[1:]
    accepted: bool = EventWebhook(SENDGRID_PUBLIC).verify_signature(webhook.body.decode(), signature, stamp)
    return accepted


async def test_what_sendgrids_kit_accepts_we_accept(session: ClientSession) -> None:
    """The signature covers the time and the raw bytes, to the last line break."""
    receiving, good = provider("sendgrid", session), events()
    assert sendgrid_kit_accepts(good)
    assert believes(receiving, good, NOW)
    signature = good.headers["x-twilio-email-event-webhook-signature"]
    for bad in (events(EVENTS.rstrip(), signature=signature), events(EVENTS + b" ", signature=signature)):
        assert not sendgrid_kit_accepts(bad)
        assert not believes(receiving, bad, NOW)


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "\xff", b64encode(bytes(70)).decode()])
async def test_a_signature_of_sendgrid_that_is_none_is_refused(
    signature: str, session: ClientSession
) -> None:
    """Nothing but a signature by the configured key is one."""
    assert not believes(provider("sendgrid", session), events(signature=signature), NOW)


@pytest.mark.parametrize(
    ("seconds", "believed"), [(0, True), (599, True), (-599, True), (601, False), (-601, False)]
)
async def test_events_of_sendgrid_are_believed_for_ten_minutes(
    seconds: int, believed: bool, session: ClientSession
) -> None:
    """A signature that was caught on the way cannot be played again later."""
    stamp = str(int(STAMP) + seconds)
    assert believes(provider("sendgrid", session), events(stamp=stamp), NOW) is believed


@pytest.mark.parametrize(
    ("configured", "given", "believed"),
    [
        ("s3cret", "token=s3cret", True),
        ("s3cret", "token=S3cret", False),
        ("s3cret", "token=", False),
        ("s3cret", "", False),
        ("", "token=", False),
        ("", "", False),
    ],
)
async def test_inbound_parse_is_believed_for_the_token_in_its_address(
    configured: str, given: str, believed: bool, session: ClientSession
) -> None:
    """Inbound Parse signs nothing; without a configured token nobody is believed."""
    receiving = provider("sendgrid", session, sendgrid_inbound_token=configured)
    headers = {"content-type": "Multipart/Form-Data; boundary=b"}
    webhook = Webhook(method="POST", url=f"{URL}sendgrid?{given}", headers=headers, body=b"")
    assert believes(receiving, webhook, NOW) is believed


async def test_the_token_of_inbound_parse_opens_no_door_for_events(session: ClientSession) -> None:
    """Who knows the token may bring mail, and may not report on ours."""
    url = f"{URL}sendgrid?token={SECRETS['sendgrid_inbound_token']}"
    for kind in ("application/json", "", "text/plain"):
        webhook = Webhook(method="POST", url=url, headers={"content-type": kind}, body=EVENTS)
        assert not believes(provider("sendgrid", session), webhook, NOW)


@pytest.mark.parametrize("stamp", BAD_TIMES)
async def test_a_time_that_is_none_is_refused(stamp: str, session: ClientSession) -> None:
    """A signed text that is no time is no time."""
    assert not believes(provider("sendgrid", session), events(stamp=stamp), NOW)


async def test_without_a_key_nobody_is_believed(session: ClientSession) -> None:
    """What cannot be checked is refused."""
    assert believes(provider("sendgrid", session), events(), NOW)
    assert not believes(provider("sendgrid", session, sendgrid_webhook_public_key=""), events(), NOW)
