"""The frame of every answer: headers, request ids, and one line in the log that tells no secrets."""

import re
from typing import Any

import pytest

from tests.contract.client import Api, number, sms, sms_webhook
from tests.contract.service import Service, until

SECURITY = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"}
REQUESTS: list[tuple[str, str, Any, int]] = [
    ("GET", "/healthz", None, 200),
    ("GET", "/metrics", None, 200),
    ("GET", "/openapi.json", None, 200),
    ("GET", "/docs", None, 200),
    ("GET", "/", None, 200),
    ("GET", "/api/conversations", None, 200),
    ("POST", "/api/webhooks/sms", sms_webhook(), 202),
    ("POST", "/api/messages/sms", {}, 400),
    ("GET", "/nowhere", None, 404),
    ("PUT", "/healthz", {}, 405),
    ("POST", "/api/messages/send", {}, 422),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
async def test_every_answer_has_its_headers(api: Api, method: str, path: str, body: Any, status: int) -> None:
    """Errors too: no framing, no sniffing, no referrer, nothing loaded from elsewhere, and a request id."""
    reply = await api.request(method, path, body=body)
    assert reply.status == status
    assert SECURITY.items() <= dict(reply.headers).items()
    assert reply.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Request-Id"]
    assert "Server" not in reply.headers


@pytest.mark.parametrize("path", ["/healthz", "/api/conversations", "/metrics", "/openapi.json", "/nowhere"])
async def test_head_is_get_without_a_body(api: Api, path: str) -> None:
    """Same status, same headers."""
    head, get = await api.request("HEAD", path), await api.get(path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers.keys() == get.headers.keys()


@pytest.mark.parametrize("given", ["abc", "01a1f716-a9f9-7781-8fab-d2d05b2e51c2", "trace:1.2_3-4", "x" * 128])
async def test_a_request_id_is_taken_over(api: Api, given: str) -> None:
    """Also on a refusal, in its header and its body."""
    assert (await api.get("/healthz", X_Request_Id=given)).headers["X-Request-Id"] == given
    refused = await api.get("/nowhere", X_Request_Id=given)
    assert refused.headers["X-Request-Id"] == refused.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "with space", "newline%0a", "<script>", "schön", "a,b"])
async def test_a_request_id_that_is_none_is_replaced(api: Api, given: str) -> None:
    """What goes into headers and logs must be harmless."""
    made = (await api.get("/healthz", X_Request_Id=given)).headers["X-Request-Id"]
    assert made != given
    assert re.fullmatch(r"[0-9a-f-]{36}", made)


async def test_every_request_has_one_line_in_the_log(api: Api, service: Service) -> None:
    """method, path, status, duration_us, client_ip, request id; refusals as well."""
    ids = []
    for method, path, body, _ in REQUESTS:
        ids.append((await api.request(method, path, body=body)).headers["X-Request-Id"])
    await until(lambda: all(service.lines(request_id=id) for id in ids))
    for id, (method, path, _, status) in zip(ids, REQUESTS, strict=True):
        (line,) = service.lines(request_id=id)
        expected = {
            "method": method,
            "path": path,
            "status": status,
            "client_ip": "127.0.0.1",
            "event": "request",
        }
        assert {name: line[name] for name in expected} == expected
        assert 0 < line["duration_us"] < 60_000_000
        assert {"host", "accept"} <= set(line["headers"])


async def test_the_log_tells_no_secret(api: Api, service: Service) -> None:
    """Names of headers, but no values; no query, no body, no address, no key."""
    secret = f"secret{number()[1:]}"
    them = number()
    headers = {
        "Authorization": f"Bearer {secret}",
        "Cookie": secret,
        "Idempotency_Key": secret,
        "X_Api_Key": secret,
    }
    await api.post("/api/messages/sms", sms(recipient=them, body=secret), **headers)
    await api.post("/api/messages/sms", sms(recipient=them, body=secret, type=secret), **headers)
    await api.post("/api/webhooks/sms", raw=f'{{"from": "{secret}'.encode())
    await api.post(f"/api/webhooks/sendgrid/inbound?token={secret}", raw=b"x")
    last = await api.get(f"/api/conversations?cursor={secret}")
    await until(lambda: service.lines(request_id=last.headers["X-Request-Id"]) != [])
    assert secret not in service.said()
    assert them not in service.said()


async def test_nothing_in_the_log_can_forge_a_line(api: Api, service: Service) -> None:
    """Line breaks and quotes in a path stay inside their field."""
    forged = '/x%0A{"event":"request","status":999}%22%1b[2J'
    reply = await api.get(forged)
    await until(lambda: service.lines(request_id=reply.headers["X-Request-Id"]) != [])
    assert service.lines(status=999) == []
    assert "\x1b[2J" not in service.said()
