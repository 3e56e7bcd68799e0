"""The simulators behind our own API: inbound messages and faults, for those who have no vendor's account."""

import asyncio
from typing import Any

import pytest

from parley.settings import Settings
from tests.contract.client import Api, email, mailbox, number, sms
from tests.contract.inprocess import serving

INBOUND, CONFIG = "/api/provider/mock/inbound", "/api/provider/mock/config"


@pytest.mark.parametrize("channel", ["sms", "mms", "email", "SMS"])
async def test_a_simulated_provider_delivers_a_message(api: Api, channel: str) -> None:
    """202, with the place of the message that came back through the webhook."""
    sender = mailbox() if channel == "email" else number()
    order = {
        "channel": channel,
        "from": sender,
        "to": "desk@example.com" if channel == "email" else "+12016661234",
    }
    more = {
        "body": "Hello?",
        "attachments": ["https://example.com/a.png"],
        "timestamp": "2024-11-01T14:00:00Z",
    }
    accepted = await api.accepted(INBOUND, order | more)
    message = await api.message(accepted["message_id"])
    assert (message["direction"], message["channel"], message["from"]) == ("inbound", channel.lower(), sender)
    assert (message["body"], message["attachments"]) == (more["body"], more["attachments"])
    assert message["timestamp"] == more["timestamp"]


async def test_the_same_provider_id_is_a_repetition(api: Api) -> None:
    """As when a provider delivers twice."""
    for channel, id in (("sms", "messaging_provider_id"), ("email", "xillio_id")):
        sender, to = (mailbox(), "desk@example.com") if channel == "email" else (number(), "+12016661234")
        order = {"channel": channel, "from": sender, "to": to, "body": "x", id: f"mock-{number()}"}
        first, again = await api.accepted(INBOUND, order), await api.accepted(INBOUND, order)
        assert again == first | {"duplicate": True}
        assert first["provider_message_id"] == order[id]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"channel": "fax", "from": "a", "to": "b"}, "channel"),
        ({"from": "a", "to": "b"}, "channel"),
        ({"channel": "sms", "to": "b"}, "from"),
        ({"channel": "sms", "from": 7, "to": "b"}, "from"),
    ],
)
async def test_a_wrong_order_is_refused_by_name(api: Api, order: dict[str, Any], field: str) -> None:
    """400, before any simulator is troubled."""
    refused = await api.post(INBOUND, order)
    assert (refused.status, refused.fields) == (400, [field])


async def test_what_the_webhook_refuses_is_refused(api: Api) -> None:
    """The caller hears what our own webhook said."""
    refused = await api.post(INBOUND, {"channel": "sms", "from": " ", "to": "+12016661234", "body": "x"})
    assert refused.status == 400
    assert "blank" in refused.json["message"]


async def test_the_faults_can_be_read_and_changed(api: Api) -> None:
    """Every knob, each by itself; what is not named stays."""
    before = (await api.get(CONFIG)).json
    assert before.keys() >= {"timeout_pct", "error_pct", "ratelimit_pct", "seed"}
    try:
        changed = await api.put(CONFIG, {"error_pct": 12.5, "seed": 7})
        assert changed.status == 200
        assert changed.json == before | {"error_pct": 12.5, "seed": 7}
        assert (await api.get(CONFIG)).json == changed.json
        assert (await api.put(CONFIG, {})).json == changed.json
    finally:
        assert (await api.put(CONFIG, before)).json == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timeout_pct": -1}, "timeout_pct"),
        ({"error_pct": 100.1}, "error_pct"),
        ({"ratelimit_pct": "5"}, "ratelimit_pct"),
        ({"seed": 1.5}, "seed"),
    ],
)
async def test_a_wrong_fault_is_refused_by_name(api: Api, change: dict[str, Any], field: str) -> None:
    """Percentages go from 0 to 100."""
    refused = await api.put(CONFIG, change)
    assert (refused.status, refused.fields) == (400, [field])


async def test_the_faults_really_change_what_the_simulators_do(api: Api) -> None:
    """With every request failing nothing is sent; with none failing everything goes out after all."""
    before = (await api.get(CONFIG)).json
    counted = (await api.get("/metrics")).json
    try:
        await api.put(CONFIG, {"error_pct": 100})
        sent = [
            await api.accepted("/api/messages/sms", sms()),
            await api.accepted("/api/messages/email", email()),
        ]
        async with asyncio.timeout(30):
            while (await api.get("/metrics")).json["dispatch_error"] < counted["dispatch_error"] + 2:
                await asyncio.sleep(0.05)
    finally:
        await api.put(CONFIG, before | {"error_pct": 0})
    async with asyncio.timeout(60):
        while {(await api.message(one["message_id"]))["status"] for one in sent} - {"sent", "delivered"}:
            await asyncio.sleep(0.1)


async def test_without_simulators_there_is_nothing_to_turn(settings: Settings) -> None:
    """The addresses exist only when simulators run."""
    async with serving(settings, simulators=False) as api:
        assert (await api.get(CONFIG)).status == 404
        assert (await api.post(INBOUND, {})).status == 404
        assert "/api/provider/mock/config" not in (await api.get("/openapi.json")).json["paths"]


async def test_simulators_that_are_away_are_named(settings: Settings, free_port: int) -> None:
    """503, not a failure of ours."""
    async with serving(settings, simulators=True, simulator_port=free_port) as api:
        refused = await api.get(CONFIG)
        assert (refused.status, refused.json["code"]) == (503, "unavailable")
        assert refused.headers["Retry-After"]
