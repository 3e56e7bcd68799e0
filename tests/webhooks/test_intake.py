"""What comes in is believed for its signature, kept as it came, and never lost for being odd."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from parley.core.errors import Forged, Unreadable
from parley.core.webhook import Webhook
from parley.db.pool import Database
from parley.providers.registry import Providers
from parley.settings import Settings
from parley.simulators.twilio.callbacks import signature
from parley.webhooks.intake import Intake
from parley.webhooks.replay import replay

MESSAGE = {
    "MessageSid": "SM" + "a" * 32,
    "SmsStatus": "received",
    "From": "+18045551234",
    "To": "+12016661234",
    "Body": "Hi",
    "NumMedia": "0",
}

Sign = Callable[[dict[str, str]], Webhook]


@pytest.fixture
def signed(settings: Settings) -> Sign:
    """Makes a webhook as Twilio would post it."""

    def sign(fields: dict[str, str]) -> Webhook:
        url = f"{settings.url}/api/webhooks/twilio"
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": signature(settings.twilio_auth_token, url, fields),
            "authorization": "Basic c2VjcmV0",
        }
        return Webhook(method="POST", url=url, headers=headers, body=urlencode(fields).encode())

    return sign


async def _counts(db: Database) -> tuple[int, int]:
    row = await db.fetchrow(
        "select (select count(*) from messages) as messages, (select count(*) from inbound_events) as raw"
    )
    assert row is not None
    return row["messages"], row["raw"]


async def test_a_signed_message_is_stored_with_its_raw_request(
    db: Database, intake: Intake, providers: Providers, signed: Sign
) -> None:
    """Message and raw request are there before anything is answered; no credential of the request is."""
    await intake.vendor(providers.by_name["twilio"], signed(MESSAGE))
    assert await _counts(db) == (1, 1)
    raw = await db.fetchrow("select state, url, headers::text, body from inbound_events")
    assert raw is not None
    assert raw["state"] == "parsed"
    assert raw["body"] == urlencode(MESSAGE).encode()
    assert "authorization" not in raw["headers"]


async def test_a_vendors_repetition_is_stored_once(
    db: Database, intake: Intake, providers: Providers, signed: Sign
) -> None:
    """Vendors post again whatever they are not sure of."""
    for _ in range(3):
        await intake.vendor(providers.by_name["twilio"], signed(MESSAGE))
    assert (await _counts(db))[0] == 1


@pytest.mark.parametrize("forge", ["body", "signature", "nothing"])
async def test_a_forged_webhook_leaves_nothing_behind(
    db: Database, intake: Intake, providers: Providers, signed: Sign, forge: str
) -> None:
    """Changed, badly signed or unsigned: refused, and neither message nor raw request is stored."""
    good = signed(MESSAGE)
    headers = dict(good.headers)
    body = good.body.replace(b"Hi", b"Ho") if forge == "body" else good.body
    if forge == "signature":
        headers["x-twilio-signature"] = headers["x-twilio-signature"][::-1]
    if forge == "nothing":
        del headers["x-twilio-signature"]
    with pytest.raises(Forged):
        await intake.vendor(
            providers.by_name["twilio"], Webhook(method="POST", url=good.url, headers=headers, body=body)
        )
    assert await _counts(db) == (0, 0)


async def test_what_is_authentic_but_makes_no_sense_is_kept(
    db: Database, intake: Intake, providers: Providers, signed: Sign
) -> None:
    """A vendor would not send it again, so it waits for the fix."""
    await intake.vendor(providers.by_name["twilio"], signed({"SomethingNew": "1"}))
    assert await _counts(db) == (0, 1)
    assert await db.fetchval("select state from inbound_events") == "unparsed"


async def test_a_plain_webhook_that_makes_no_sense_is_kept_and_refused(db: Database, intake: Intake) -> None:
    """Its sender is told which field is wrong, and we still have what he sent."""
    webhook = Webhook(method="POST", url="http://x/api/webhooks/sms", headers={}, body=b'{"from": 1}')
    with pytest.raises(Unreadable) as refusal:
        await intake.generic("messaging", webhook)
    assert {detail.field for detail in refusal.value.details} == {"from", "to"}
    assert await _counts(db) == (0, 1)


async def test_a_replay_stores_what_this_version_understands(
    db: Database, intake: Intake, providers: Providers, signed: Sign
) -> None:
    """A dry run only looks; the real one stores once, and says what still stands in the way."""
    await intake.vendor(providers.by_name["twilio"], signed({"SomethingNew": "1"}))
    await db.execute(
        "update inbound_events set body = $1, error = 'a bug of the version before'",
        urlencode(MESSAGE).encode(),
    )
    await intake.vendor(providers.by_name["twilio"], signed({"StillUnknown": "1"}))

    looked = [r async for r in replay(db, intake, providers.by_name, dry_run=True)]
    assert [r.error is None for r in looked] == [True, False]
    assert (await _counts(db))[0] == 0

    done = [r async for r in replay(db, intake, providers.by_name, dry_run=False)]
    assert done[0].brought == ("sms from +18045551234",)
    assert (await _counts(db))[0] == 1

    again = [r async for r in replay(db, intake, providers.by_name, dry_run=False)]
    assert len(again) == 1
    assert (await _counts(db))[0] == 1
