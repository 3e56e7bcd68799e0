"""Metrics: every key, right after known traffic over all processes, in each format that is asked for."""

import asyncio
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.contract.client import Api, number, sms, sms_webhook

DISPATCH = ("attempts", "success", "rate_limited", "error")
KEYS = {
    "ts_unix_ms", "rate_limited", "breaker_open", "breaker_transitions", "worker_claimed", "worker_processed",
    "worker_error", "worker_dead_letter", "worker_latency_avg_us", "worker_latency_max_us", "invalid_routing",
    "conversations_created", "conversations_reused", "conversations_failures",
    "provider_sms_mms_breaker_transitions", "provider_email_breaker_transitions",
    *(f"{who}_{what}" for who in ("dispatch", "provider_sms_mms", "provider_email") for what in DISPATCH),
}  # fmt: skip


async def _metrics(api: Api) -> dict[str, Any]:
    reply = await api.get("/metrics")
    assert reply.status == 200
    counters: dict[str, Any] = reply.json
    return counters


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html,*/*;q=0.8", "image/png"])
async def test_flat_json_is_the_default(api: Api, accept: str) -> None:
    """All the keys that the earlier service's clients read, all whole numbers."""
    reply = await api.get("/metrics", Accept=accept)
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json.keys() >= KEYS
    assert all(isinstance(value, int) and value >= 0 for value in reply.json.values())


async def test_the_counters_are_right_over_all_processes(api: Api) -> None:
    """Known traffic over many connections, so that both web processes get their share of it."""
    before = await _metrics(api)
    theirs = [number() for _ in range(20)]
    await asyncio.gather(*(api.accepted("/api/webhooks/sms", sms_webhook(sender=them)) for them in theirs))
    events = [sms_webhook(sender=them) for them in theirs]
    await asyncio.gather(*(api.accepted("/api/webhooks/sms", event) for event in events * 2))
    sent = await asyncio.gather(*(api.accepted("/api/messages/sms", sms(recipient=them)) for them in theirs))
    async with asyncio.timeout(30):
        while any([(await api.message(one["message_id"]))["status"] == "queued" for one in sent]):
            await asyncio.sleep(0.05)
        while (after := await _metrics(api))["worker_processed"] - before["worker_processed"] < 60:
            await asyncio.sleep(0.05)
    grown = {name: after[name] - before[name] for name in KEYS}
    expected = {
        "conversations_created": 20,
        "conversations_reused": 40,
        "conversations_failures": 0,
        "worker_processed": 60,
        "dispatch_attempts": 20,
        "dispatch_success": 20,
        "dispatch_error": 0,
        "dispatch_rate_limited": 0,
        "provider_sms_mms_attempts": 20,
        "provider_sms_mms_success": 20,
        "provider_email_attempts": 0,
        "worker_claimed": 20,
        "worker_dead_letter": 0,
        "worker_error": 0,
        "rate_limited": 0,
        "breaker_open": 0,
    }
    assert {name: grown[name] for name in expected} == expected
    assert grown["ts_unix_ms"] > 0
    assert 0 < after["worker_latency_avg_us"] <= after["worker_latency_max_us"]


async def test_prometheus_text_is_given_to_who_asks(api: Api) -> None:
    """text/plain; it parses, and says the same as the JSON."""
    reply = await api.get("/metrics", Accept="text/plain")
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    families = {family.name: family for family in parse_text(reply.body.decode())}
    created = sum(sample.value for sample in families["parley_conversations_created"].samples)
    assert created == (await _metrics(api))["conversations_created"] > 0
    assert {"parley_http_request_seconds", "parley_messages", "parley_dispatch"} <= families.keys()


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text",
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
    ],
)
async def test_openmetrics_is_given_to_who_asks(api: Api, accept: str) -> None:
    """As a Prometheus server asks, which likes it best."""
    reply = await api.get("/metrics", Accept=accept)
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = parse_openmetrics(reply.body.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"parley_conversations_created"}


async def test_routes_are_counted_by_their_pattern(api: Api) -> None:
    """Neither ids nor what a scanner invents make new time series."""
    await api.get("/api/conversations/12345678")
    await api.get("/wp-login.php")
    text = (await api.get("/metrics", Accept="text/plain")).body.decode()
    assert "12345678" not in text
    assert "wp-login" not in text
    assert 'route="unknown"' in text
