"""Our own rate limits: per client and per sender, and whom they spare."""

import asyncio

import pytest

from parley.settings import Settings
from tests.contract.client import Api, email, number, sms, sms_webhook
from tests.contract.inprocess import serving
from tests.contract.test_refusals import assert_refused

SEND = "/api/messages/sms"


async def test_a_client_that_asks_too_much_is_told_when_to_come_back(settings: Settings) -> None:
    """429 with Retry-After and RateLimit-* headers, counted in the metrics."""
    async with serving(settings, rate_limit_per_ip_per_min=3) as api:
        replies = [await api.get("/api/conversations") for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        assert_refused(replies[3], 429, "rate_limited")
        headers = replies[3].headers
        assert 1 <= int(headers["Retry-After"]) <= 60
        assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("3", "0")
        assert headers["RateLimit-Reset"] == headers["Retry-After"]
        assert (await api.get("/metrics")).json["rate_limited"] > 0


async def test_a_limit_is_exact_under_concurrency(settings: Settings) -> None:
    """Fifty at once get no more than ten one after the other."""
    async with serving(settings, rate_limit_per_ip_per_min=10) as api:
        replies = await asyncio.gather(*(api.get("/api/conversations") for _ in range(50)))
        assert sorted(reply.status for reply in replies) == [200] * 10 + [429] * 40


async def test_health_metrics_and_webhooks_are_spared(settings: Settings) -> None:
    """Probes must not fail, and a provider's messages must not be lost, because somebody else was busy."""
    async with serving(settings, rate_limit_per_ip_per_min=1, rate_limit_per_sender_per_min=1) as api:
        await api.get("/api/conversations")
        assert (await api.get("/api/conversations")).status == 429
        for path in ("/healthz", "/health", "/metrics"):
            assert (await api.get(path)).status == 200
        them = number()
        for _ in range(3):
            assert (await api.post("/api/webhooks/sms", sms_webhook(sender=them))).status == 202


async def test_a_sender_has_a_limit_of_his_own(settings: Settings) -> None:
    """However he spells his number; other senders are not held up."""
    async with serving(settings, rate_limit_per_sender_per_min=2) as api:
        spellings = ("+12016661234", "(201) 666-1234", "1-201-666-1234")
        replies = [await api.post(SEND, sms(sender=spelling)) for spelling in spellings]
        assert [reply.status for reply in replies] == [202, 202, 429]
        assert (await api.post(SEND, sms(sender=number()))).status == 202
        assert (await api.post("/api/messages/email", email())).status == 202
        assert (await api.get("/api/conversations")).json["meta"]["total"] == 4


async def test_a_refused_request_is_counted_too_but_a_wrong_one_sends_nothing(settings: Settings) -> None:
    """An order that breaks a rule does not use up what its sender may send."""
    async with serving(settings, rate_limit_per_sender_per_min=1) as api:
        assert (await api.post(SEND, sms(body=""))).status == 400
        assert (await api.post(SEND, sms())).status == 202
        assert (await api.post(SEND, sms())).status == 429


@pytest.mark.parametrize(
    ("trusted", "forwarded", "limited"),
    [
        ((), ["1.1.1.1", "2.2.2.2"], True),
        (("127.0.0.0/8",), ["1.1.1.1", "2.2.2.2"], False),
        (("127.0.0.0/8",), ["1.1.1.1", "1.1.1.1"], True),
        (("127.0.0.0/8",), ["6.6.6.6, 1.1.1.1", "7.7.7.7, 1.1.1.1"], True),
        (("127.0.0.0/8", "10.0.0.0/8"), ["1.1.1.1, 10.1.1.1", "2.2.2.2, 10.1.1.1"], False),
        (("127.0.0.0/8",), ["garbage", ", ,"], True),
    ],
)
async def test_a_forwarded_address_is_believed_from_our_proxies_only(
    settings: Settings, trusted: tuple[str, ...], forwarded: list[str], limited: bool
) -> None:
    """Whoever could choose his address could choose his limit."""
    async with serving(settings, rate_limit_per_ip_per_min=1, trusted_proxies=trusted) as api:
        replies = [await api.get("/api/conversations", X_Forwarded_For=address) for address in forwarded]
        assert [reply.status for reply in replies] == [200, 429 if limited else 200]


async def test_without_limits_nobody_is_limited(api: Api) -> None:
    """0 is off, and is the default."""
    replies = await asyncio.gather(*(api.get("/api/conversations?per_page=1") for _ in range(300)))
    assert {reply.status for reply in replies} == {200}
