"""Refusals: one shape for every status, and what a client may say it sends and takes."""

from typing import Any

import pytest

from parley.settings import Settings
from tests.contract.client import Api, Reply, email, sms, sms_webhook
from tests.contract.inprocess import serving

SEND = "/api/messages/sms"


def assert_refused(reply: Reply, status: int, code: str) -> None:
    """Every error has the same shape, whatever its status and route."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"].startswith("application/json")
    problem = reply.json
    assert set(problem) == {"code", "message", "details", "request_id"}
    assert problem["code"] == code
    assert problem["message"]
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    assert all(set(detail) == {"field", "message"} for detail in problem["details"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", SEND, 400, "invalid_request"),
        ("POST", "/api/messages/send", 422, "invalid_request"),
        ("POST", "/api/webhooks/sms", 400, "invalid_request"),
        ("POST", "/api/send_message", 400, "invalid_request"),
        ("POST", "/api/provider/mock/inbound", 400, "invalid_request"),
        ("GET", "/api/conversations?page=x", 400, "invalid_request"),
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/conversations/999999", 404, "not_found"),
        ("GET", "/api/conversations/", 404, "not_found"),
        ("GET", "/api//conversations", 404, "not_found"),
        ("GET", "/static/../../etc/passwd", 404, "not_found"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("PUT", SEND, 405, "method_not_allowed"),
        ("GET", SEND, 405, "method_not_allowed"),
        ("GET", "/api/messages/nonsense", 404, "not_found"),
        ("DELETE", "/api/conversations", 405, "method_not_allowed"),
        ("PATCH", "/api/provider/mock/config", 405, "method_not_allowed"),
        ("PROPFIND", "/api/conversations", 405, "method_not_allowed"),
        ("BREW", "/api/conversations", 400, "invalid_request"),
    ],
)
async def test_every_refusal_has_one_shape(api: Api, method: str, path: str, status: int, code: str) -> None:
    """400, 404, 405, 422: code, message, details, request_id."""
    reply = await api.request(method, path, raw=b"{}" if method == "POST" else None)
    assert_refused(reply, status, code)
    assert (status == 405) == ("Allow" in reply.headers)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/*;q=0.2", 200),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("APPLICATION/JSON; charset=utf-8", 200),
        ("application/json;q=0.001", 200),
        ("", 200),
        ("text/html", 406),
        ("application/xml", 406),
        ("text/*", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
        ("*/*;q=0", 406),
        ("application/jsonp", 406),
        ("garbage", 406),
        (";;;,,,q=", 406),
    ],
)
async def test_accept_is_understood_as_http_means_it(api: Api, accept: str, status: int) -> None:
    """q-values, families and wildcards; the most exact pattern decides."""
    reply = await api.get("/api/conversations", Accept=accept)
    assert reply.status == status
    if status == 406:
        assert_refused(reply, 406, "not_acceptable")
        assert_refused(await api.post(SEND, sms(), Accept=accept), 406, "not_acceptable")


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/", "/openapi.json"])
async def test_pages_and_metrics_are_free_of_the_406_rule(api: Api, path: str) -> None:
    """Whatever a browser or a scraper asks for there, it gets what there is."""
    assert (await api.get(path, Accept="image/png")).status == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ('Application/JSON;Charset="UTF-8"', 202),
        ("application/vnd.api+json", 202),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=utf-16", 415),
        ("json", 415),
        (";;;", 202),
    ],
)
async def test_a_body_must_be_announced_as_json(api: Api, kind: str, status: int) -> None:
    """JSON in UTF-8, however that is spelled; on webhooks too."""
    for path, body in ((SEND, sms()), ("/api/webhooks/sms", sms_webhook())):
        reply = await api.post(path, body, Content_Type=kind)
        assert reply.status == status
        if status == 415:
            assert_refused(reply, 415, "unsupported_media_type")


async def _too_large(size: int) -> Any:
    """A body of unknown length, in pieces."""
    for _ in range(size // 1000):
        yield b" " * 1000


async def test_a_body_over_the_limit_is_refused(api: Api) -> None:
    """API_MAX_BODY_BYTES, 262144, with an announced length and without one."""
    for path in (SEND, "/api/messages/send", "/api/webhooks/sms", "/api/send_email"):
        assert_refused(await api.post(path, raw=b" " * 262_145), 413, "body_too_large")
        assert_refused(await api.post(path, raw=_too_large(300_000)), 413, "body_too_large")


async def test_a_body_of_just_the_limit_is_taken(api: Api) -> None:
    """The limit itself is allowed."""
    body = sms(body="")
    body["body"] = "x" * (262_144 - len(Api.encoded(body)))
    assert len(Api.encoded(body)) == 262_144
    assert (await api.post(SEND, body)).status == 202


async def test_the_limits_can_be_set(settings: Settings) -> None:
    """API_MAX_BODY_BYTES and API_MAX_ATTACHMENTS."""
    async with serving(settings, max_body_bytes=1000, max_attachments=1) as api:
        assert_refused(await api.post(SEND, sms(body="x" * 1000)), 413, "body_too_large")
        refused = await api.post("/api/messages/email", email(attachments=["https://example.com/a"] * 2))
        assert refused.fields == ["attachments"]
        assert (await api.post(SEND, sms())).status == 202
