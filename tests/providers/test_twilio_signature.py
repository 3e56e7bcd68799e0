"""Twilio's signature: what its own kit accepts we accept, and what was tampered with we refuse."""

import hmac
from base64 import b64encode
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import urlencode, urlparse

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

from parley.core.webhook import Webhook
from tests.providers.signing import URL, believes
from tests.providers.vendors import SECRETS, provider

TOKEN = SECRETS["twilio_auth_token"]
FORM = [("Body", "a b+ä"), ("From", "+12025550123"), ("FromCity", ""), ("MessageSid", "SM2")]
twilio_kit = RequestValidator(TOKEN)


def form(pairs: list[tuple[str, str]], signature: str, url: str = URL + "twilio") -> Webhook:
    """A form that Twilio posts."""
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return Webhook(method="POST", url=url, headers=headers, body=urlencode(pairs).encode())


def signed(text: str) -> str:
    """A signature over a text, as Twilio computes it."""
    return b64encode(hmac.digest(TOKEN.encode(), text.encode(), sha1)).decode()


@pytest.mark.parametrize(
    "url",
    [
        URL + "twilio",
        URL + "twilio?message_id=0192f0c1-2d3e-7f4a-8b5c-6d7e8f901234",
        "https://parley.example:8443/api/webhooks/twilio",
        "http://parley.example:80/api/webhooks/twilio?a=%40b&c=d+e",
        "https://Parley.Example/api/webhooks/twilio",
    ],
)
@pytest.mark.parametrize("port", ["as configured", "added", "removed"])
async def test_twilio_may_sign_with_the_port_or_without(url: str, port: str, session: ClientSession) -> None:
    """Its parts disagree on whether the port belongs to the address; its kit accepts both, and so do we."""
    parts = urlparse(url)
    as_signed = {"as configured": url, "added": add_port(parts), "removed": remove_port(parts)}[port]
    signature = twilio_kit.compute_signature(as_signed, MultiDict(FORM))
    assert twilio_kit.validate(url, MultiDict(FORM), signature)
    assert believes(provider("twilio", session), form(FORM, signature, url))


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["Body", "MediaUrl", "body", "To", ""]),
        st.text(max_size=8).filter(str.isprintable),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS)
async def test_what_twilios_kit_accepts_we_accept(
    pairs: list[tuple[str, str]], session: ClientSession
) -> None:
    """Repeated, empty and foreign parameters are signed as its kit signs them."""
    signature = twilio_kit.compute_signature(URL + "twilio", MultiDict(pairs))
    assert believes(provider("twilio", session), form(pairs, signature))


async def test_twilio_may_sign_a_repeated_name_once_before_all_its_values(session: ClientSession) -> None:
    """Some of its senders write a repeated name once and its values in the order of the form."""
    pairs = [("Field", "48"), ("Field", "24"), ("Field", "48"), ("A", "1")]
    assert believes(provider("twilio", session), form(pairs, signed(URL + "twilio" + "A1" + "Field482448")))


@pytest.mark.parametrize(
    "change",
    [
        {"pairs": [*FORM[1:], ("Body", "other")]},
        {"pairs": [*FORM, ("New", "1")]},
        {"pairs": FORM[1:]},
        {"url": URL + "twilio?message_id=1"},
        {"url": URL + "telnyx"},
        {"url": "http://parley.example/api/webhooks/twilio"},
        {"url": "https://other.example/api/webhooks/twilio"},
        {"signature": ""},
        {"signature": "\xff"},
        {"signature": signed("")},
        {"signature": b64encode(bytes(20)).decode()},
    ],
)
async def test_a_changed_webhook_of_twilio_is_refused(change: dict[str, Any], session: ClientSession) -> None:
    """The signature covers the address and every parameter."""
    signature = twilio_kit.compute_signature(URL + "twilio", MultiDict(FORM))
    webhook = form(**({"pairs": FORM, "signature": signature} | change))
    assert believes(provider("twilio", session), form(FORM, signature))
    assert not believes(provider("twilio", session), webhook)


async def test_a_json_body_of_twilio_is_signed_by_its_hash(session: ClientSession) -> None:
    """The address holds the hash of the body, and the signature covers the address."""
    body = b'{"a": "\xc3\xa4"}'
    url = f"{URL}twilio?bodySHA256={sha256(body).hexdigest()}"
    signature = twilio_kit.compute_signature(url, {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    whole = Webhook(method="POST", url=url, headers=headers, body=body)
    changed = Webhook(method="POST", url=url, headers=headers, body=body + b" ")
    assert twilio_kit.validate(url, body.decode(), signature)
    assert believes(provider("twilio", session), whole)
    assert not twilio_kit.validate(url, (body + b" ").decode(), signature)
    assert not believes(provider("twilio", session), changed)


async def test_a_json_body_without_a_hash_cannot_hide_from_the_signature(session: ClientSession) -> None:
    """A signature over the bare address says nothing of a body."""
    headers = {"content-type": "application/json", "x-twilio-signature": signed(URL + "twilio")}
    webhook = Webhook(method="POST", url=URL + "twilio", headers=headers, body=b'{"a": 1}')
    assert not believes(provider("twilio", session), webhook)


async def test_a_get_of_twilio_is_signed_by_its_address(session: ClientSession) -> None:
    """Without a body the whole query is part of what is signed."""
    url = URL + "twilio?MessageSid=SM1&MessageStatus=sent"
    signature = twilio_kit.compute_signature(url, {})
    webhook = Webhook(method="GET", url=url, headers={"x-twilio-signature": signature}, body=b"")
    other = Webhook(method="GET", url=url + "&x=1", headers={"x-twilio-signature": signature}, body=b"")
    assert twilio_kit.validate(url, {}, signature)
    assert believes(provider("twilio", session), webhook)
    assert not believes(provider("twilio", session), other)
