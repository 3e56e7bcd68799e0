"""Which providers the settings make."""

from typing import Any

import pytest
from aiohttp import ClientSession

from parley.providers.http import callback
from parley.providers.registry import build
from parley.settings import SettingsError
from tests.providers.vendors import MESSAGE_ID, NAMES, SENDGRID_PUBLIC, settings


async def test_channels_are_carried_in_the_order_of_the_settings(session: ClientSession) -> None:
    """The first that is listed is preferred, and one that is listed twice is one."""
    built = build(
        settings(sms_providers=("telnyx", "twilio", "telnyx"), email_providers=("smtp", "sendgrid")), session
    )
    order = {channel: [p.name for p in carrying] for channel, carrying in built.by_channel.items()}
    assert order == {"sms": ["telnyx", "twilio"], "mms": ["telnyx", "twilio"], "email": ["smtp", "sendgrid"]}


async def test_a_provider_with_credentials_is_known_without_being_listed(session: ClientSession) -> None:
    """What was sent before the list changed is still reported on."""
    built = build(settings(sms_providers=("twilio",), email_providers=()), session)
    assert set(built.by_name) == set(NAMES)
    assert built.by_channel["email"] == ()


async def test_a_provider_without_credentials_is_not_made(session: ClientSession) -> None:
    """Nobody has to configure what nobody uses."""
    built = build(settings(telnyx_api_key="", smtp_host=""), session)
    assert set(built.by_name) == {"twilio", "sendgrid"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sms_providers": ("pigeon",)}, "SMS_PROVIDERS names 'pigeon', but takes twilio, telnyx"),
        ({"sms_providers": ("sendgrid",)}, "SMS_PROVIDERS names 'sendgrid', but takes twilio, telnyx"),
        ({"email_providers": ("twilio",)}, "EMAIL_PROVIDERS names 'twilio', but takes sendgrid, smtp"),
        (
            {"twilio_account_sid": ""},
            "TWILIO_ACCOUNT_SID is empty, but takes a value as SMS_PROVIDERS names twilio",
        ),
        (
            {"twilio_auth_token": ""},
            "TWILIO_AUTH_TOKEN is empty, but takes a value as SMS_PROVIDERS names twilio",
        ),
        (
            {"sms_providers": ("telnyx",), "telnyx_api_key": ""},
            "TELNYX_API_KEY is empty, but takes a value as SMS_PROVIDERS names telnyx",
        ),
        (
            {"sendgrid_api_key": ""},
            "SENDGRID_API_KEY is empty, but takes a value as EMAIL_PROVIDERS names sendgrid",
        ),
        (
            {"email_providers": ("smtp",), "smtp_host": ""},
            "SMTP_HOST is empty, but takes a value as EMAIL_PROVIDERS names smtp",
        ),
        (
            {"smtp_username": "desk"},
            "SMTP_PASSWORD is empty, but takes a value as the other half of the login is set",
        ),
        (
            {"smtp_password": "secret"},
            "SMTP_USERNAME is empty, but takes a value as the other half of the login is set",
        ),
        (
            {"telnyx_public_key": "AAAA"},
            "TELNYX_PUBLIC_KEY is 'AAAA', but takes the base64 public key of the Telnyx portal",
        ),
        (
            {"sendgrid_webhook_public_key": "-----BEGIN"},
            "SENDGRID_WEBHOOK_PUBLIC_KEY is '-----BEGIN', but takes the base64 verification key of the Event Webhook",
        ),
        (
            {"twilio_base_url": "https://me:secret@proxy"},
            "TWILIO_BASE_URL is no http(s) address, but takes one, without a login in it",
        ),
        (
            {"sendgrid_base_url": "api.sendgrid.com"},
            "SENDGRID_BASE_URL is no http(s) address, but takes one, without a login in it",
        ),
    ],
)
async def test_what_is_wrong_is_said_in_one_line_that_names_the_variable(
    changes: dict[str, Any], line: str, session: ClientSession
) -> None:
    """The operator sees which variable it is, and what it takes."""
    with pytest.raises(SettingsError) as caught:
        build(settings(**changes), session)
    assert str(caught.value) == line


async def test_a_key_of_another_kind_is_no_key_of_sendgrid(session: ClientSession) -> None:
    """A well-formed key for another algorithm would fail every event; it fails the start instead."""
    ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
    assert build(settings(sendgrid_webhook_public_key=SENDGRID_PUBLIC), session)
    with pytest.raises(SettingsError):
        build(settings(sendgrid_webhook_public_key=ed25519), session)


@pytest.mark.parametrize(
    ("public", "vendor", "reached"),
    [
        ("https://parley.example", "https://api.twilio.com", True),
        ("http://localhost:8080", "http://127.0.0.1:8090", True),
        ("https://parley.example", "http://127.0.0.1:8090", True),
        ("http://localhost:8080", "https://api.twilio.com", False),
        ("http://[::1]:8080", "https://api.twilio.com", False),
    ],
)
def test_no_vendor_is_told_to_call_an_address_that_it_cannot_reach(
    public: str, vendor: str, reached: bool
) -> None:
    """Twilio refuses a message whose callback is on localhost; without one, it goes out and is not reported on."""
    told = callback(settings(public_url=public), "twilio", vendor, MESSAGE_ID)
    assert told == (f"{public}/api/webhooks/twilio?message_id={MESSAGE_ID}" if reached else None)
