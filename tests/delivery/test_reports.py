"""A message whose reports were lost is asked after, and what nobody can tell is said."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import msgspec
import pytest

from parley.core.message import Outgoing
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery.reports import AGES, step
from parley.messages.store import store
from parley.providers.base import Provider
from parley.providers.sendgrid import SendGrid
from parley.providers.telnyx import Telnyx
from parley.providers.twilio import Twilio
from parley.settings import Settings
from parley.simulated import with_simulators
from parley.simulators.config import Simulation
from tests.drafts import BUSINESS, CUSTOMER, outbound
from tests.simulators.stage import running

LAST = len(AGES) - 1
SOON = timedelta(seconds=5)


async def _sent(db: Database, provider: str, provider_message_id: str | None) -> str:
    """A message of which we know only that it was sent."""
    draft = outbound()
    await store(db, [draft])
    await db.execute(
        "update messages set status = 'sent', provider = $2, provider_message_id = $3 where id = $1",
        UUID(draft.id),
        provider,
        provider_message_id,
    )
    return draft.id


async def _look(db: Database, provider: Provider, look: int) -> None:
    bell = Bell(db)
    now = datetime.now(UTC)
    await step(db, bell, {provider.name: provider}, look, now - timedelta(hours=1))
    await step(db, bell, {provider.name: provider}, look, now + SOON)
    await bell.close()


@pytest.mark.parametrize("vendor", [Twilio, Telnyx])
async def test_a_lost_callback_is_made_good_by_asking(
    db: Database, settings: Settings, vendor: type[Twilio | Telnyx]
) -> None:
    """The vendor's own word on the message, fetched, counts like its callback."""
    async with running(Simulation(sent_ms=1, delivered_ms=2)) as sim, aiohttp.ClientSession() as http:
        base = {"twilio_base_url": f"{sim.url}/twilio", "telnyx_base_url": f"{sim.url}/telnyx"}
        provider = vendor(_at(settings, base), http)
        order = Outgoing(
            id="x", account_id=1, channel="sms", sender=BUSINESS, recipient=CUSTOMER, body="Hello"
        )
        accepted = await provider.send(order)
        assert accepted.provider_message_id is not None
        await _sent(db, provider.name, accepted.provider_message_id)
        async with asyncio.timeout(10):
            while True:
                standing = await provider.status(accepted.provider_message_id)
                if standing is not None and standing.status == "delivered":
                    break
        await _look(db, provider, 0)
    assert await db.fetchval("select status from messages") == "delivered"
    assert await db.fetchval("select count(*) from events where kind = 'message.status'") == 1


async def test_what_nobody_can_tell_is_said_at_the_last_look(db: Database, settings: Settings) -> None:
    """SendGrid cannot be asked: the message stays sent, and says that no report came."""
    await _sent(db, "sendgrid", "abc")
    async with aiohttp.ClientSession() as http:
        provider = SendGrid(settings, http)
        await _look(db, provider, 0)
        assert await db.fetchval("select error_code from messages") is None
        await _look(db, provider, LAST)
    assert await _standing(db) == ["sent", "no_report"]


async def test_a_vendor_that_does_not_answer_costs_only_this_look(db: Database, settings: Settings) -> None:
    """The message stays what it is, and the look moves on."""
    await _sent(db, "twilio", "SM1")
    async with aiohttp.ClientSession() as http:
        nobody = _at(settings, {"twilio_base_url": "http://127.0.0.1:1"})
        await _look(db, Twilio(nobody, http), 0)
    assert await _standing(db) == ["sent", None]


async def _standing(db: Database) -> list[str | None]:
    return list(*await db.fetch("select status, error_code from messages"))


def _at(settings: Settings, base: dict[str, str]) -> Settings:
    return msgspec.structs.replace(with_simulators(settings), **base)
