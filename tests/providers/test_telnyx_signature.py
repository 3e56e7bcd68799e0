"""The signature of Telnyx: what its own kit accepts we accept, and what was tampered with we refuse."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

from parley.core.webhook import Webhook
from tests.providers.signing import BAD_TIMES, NOW, STAMP, URL, believes
from tests.providers.vendors import TELNYX_PUBLIC, provider, telnyx_key


def report(body: bytes = b'{"data":{}}', stamp: str = STAMP, signature: str | None = None) -> Webhook:
    """A report that Telnyx posts."""
    made = b64encode(telnyx_key.sign(stamp.encode() + b"|" + body)).decode()
    headers = {
        "telnyx-signature-ed25519": made if signature is None else signature,
        "telnyx-timestamp": stamp,
    }
    return Webhook(method="POST", url=URL + "telnyx", headers=headers, body=body)


def telnyx_kit_accepts(webhook: Webhook) -> bool:
    """What the own kit of Telnyx says of a webhook."""
    try:
        verify_webhook_signature(webhook.body, webhook.headers, TELNYX_PUBLIC)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("change", "believed"),
    [
        ({}, True),
        ({"body": '{"data":{"text":"zoë"}}\r\n'.encode()}, True),
        ({"signature": ""}, False),
        ({"signature": "not base64!"}, False),
        ({"signature": b64encode(bytes(64)).decode()}, False),
        ({"signature": b64encode(telnyx_key.sign(b"other")).decode()}, False),
        ({"after": 290}, True),
        ({"after": -290}, True),
        ({"after": 310}, False),
        ({"after": -310}, False),
    ],
)
async def test_we_and_the_kit_of_telnyx_agree(
    change: dict[str, Any], believed: bool, session: ClientSession
) -> None:
    """The signature covers the time and the raw bytes, and holds for five minutes."""
    now = datetime.now(UTC)
    stamp = str(int(now.timestamp()) + change.pop("after", 0))
    webhook = report(stamp=stamp, **change)
    assert telnyx_kit_accepts(webhook) is believed
    assert believes(provider("telnyx", session), webhook, now) is believed


async def test_a_changed_webhook_of_telnyx_is_refused(session: ClientSession) -> None:
    """One byte more is another body."""
    good = report()
    changed = report(good.body + b" ", signature=good.headers["telnyx-signature-ed25519"])
    assert believes(provider("telnyx", session), good, NOW)
    assert not believes(provider("telnyx", session), changed, NOW)


@pytest.mark.parametrize("stamp", BAD_TIMES)
async def test_a_time_that_is_none_is_refused(stamp: str, session: ClientSession) -> None:
    """A signed text that is no time is no time."""
    assert not believes(provider("telnyx", session), report(stamp=stamp), NOW)


async def test_without_a_key_nobody_is_believed(session: ClientSession) -> None:
    """What cannot be checked is refused."""
    assert believes(provider("telnyx", session), report(), NOW)
    assert not believes(provider("telnyx", session, telnyx_public_key=""), report(), NOW)
