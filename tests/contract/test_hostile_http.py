"""Hostile HTTP: requests that no library would send, and clients that take their time."""

import asyncio
import json

import pytest

from parley.settings import Settings
from tests.contract.client import Api, sms
from tests.contract.inprocess import serving
from tests.contract.raw import exchange, line, post
from tests.contract.service import Service

SEND = "/api/messages/sms"
BODY = json.dumps(sms()).encode()

MALFORMED = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "an unknown method": b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP of the future": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    "two lengths": post(SEND, BODY, "Content-Length: 5", "Content-Length: 6"),
    "a length and chunks": post(SEND, BODY, f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"),
    "a negative length": post(SEND, BODY, "Content-Length: -1"),
    "a length that is no number": post(SEND, BODY, "Content-Length: 1e3"),
    "a length beyond all numbers": post(SEND, BODY, "Content-Length: " + "9" * 40),
    "chunks that are none": post(SEND, b"zz\r\n" + BODY, "Transfer-Encoding: chunked"),
    "a chunk beyond all numbers": post(SEND, b"f" * 30 + b"\r\n", "Transfer-Encoding: chunked"),
    "one huge header": post(SEND, BODY, "X: " + "x" * 100_000),
    "many headers": post(SEND, BODY, *(f"X-{n}: {n}" for n in range(10_000))),
    "a huge path": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_http_is_refused_in_our_shape(service: Service, request_: bytes) -> None:
    """A 4xx with the error body, the headers of every answer, and the end of the connection."""
    answer = await exchange(service.port, request_)
    assert answer.status in (400, 413, 431), answer
    assert set(answer.json) == {"code", "message", "details", "request_id"}
    assert answer.headers["x-request-id"] == answer.json["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "headers",
    [["X: " + "x" * 100_000], [f"X-{n}: {n}" for n in range(10_000)]],
    ids=["one huge header", "many headers"],
)
async def test_a_head_that_is_too_large_is_named(service: Service, headers: list[str]) -> None:
    """431, also where it never ends."""
    assert (await exchange(service.port, post(SEND, BODY, *headers))).status == 431
    endless = post(SEND, BODY, *headers).partition(b"\r\n\r\n")[0]
    assert (await exchange(service.port, endless)).json["code"] == "head_too_large"


async def test_a_large_head_within_the_limit_is_read(service: Service) -> None:
    """60,000 bytes of cookies are odd, but no attack."""
    assert (await exchange(service.port, post(SEND, BODY, "Cookie: " + "x" * 60_000))).status == 202


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: \xff\xfe\r\nX-Forwarded-For: ,,,\r\n\r\n",
        b"GET /healthz?\xc3\xa9=%ff HTTP/1.1\r\nHost: a\r\nAccept: \xff/\xfe, */*\r\n\r\n",
    ],
)
async def test_odd_but_legal_http_is_answered(service: Service, request_: bytes) -> None:
    """Old versions, absolute addresses, offers to upgrade, bytes in headers."""
    assert (await exchange(service.port, request_)).status in (200, 400)


async def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    """Several requests on one connection, sent at once."""
    async with line(service.port) as opened:
        await opened.write(
            post(SEND, BODY) + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + post("/nowhere", b"{}")
        )
        assert [(await opened.read()).status for _ in range(3)] == [202, 200, 404]


async def test_garbage_behind_a_request_does_not_take_its_answer(service: Service) -> None:
    """The first request is answered as it deserves; then the connection ends."""
    async with line(service.port) as opened:
        await opened.write(post(SEND, BODY) + b"garbage\r\n\r\n")
        assert (await opened.read()).status == 202
        assert (await opened.read()).status in (0, 400)


async def test_a_chunked_body_is_read(service: Service) -> None:
    """Any way that HTTP has to carry a body."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:11], BODY[11:]))
    assert (
        await exchange(service.port, post(SEND, chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    ).status == 202


async def test_a_body_that_stops_half_way_stores_nothing(api: Api, service: Service) -> None:
    """The client is gone; what it meant to say was never said."""
    order = sms()
    body = json.dumps(order).encode()
    for lines in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
        sent = body if lines.startswith("Content") else b"%x\r\n" % len(body) + body
        async with line(service.port) as opened:
            await opened.write(post(SEND, sent[:-10], lines))
            opened.hang_up()
            assert (await opened.read()).status in (0, 400)
    them = order["to"]
    assert (
        await api.get(f"/api/conversations/sms:%2B12016661234%3C-%3E{them.replace('+', '%2B')}")
    ).status == 404


async def test_a_waiting_client_is_asked_to_go_on(service: Service) -> None:
    """Expect: 100-continue, and no invitation to send what is too large anyway."""
    async with line(service.port) as opened:
        await opened.write(post(SEND, b"", f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
        assert (await opened.read()).status == 100
        await opened.write(BODY)
        assert (await opened.read()).status == 202
    refused = await exchange(service.port, post(SEND, b"", "Content-Length: 9000000", "Expect: 100-continue"))
    assert refused.status == 413


async def test_who_takes_too_long_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 for a head and for a body; a connection that was opened for later is closed without a word."""
    monkeypatch.setattr("parley.api.protocol._HEAD_SECONDS", 0.3)
    monkeypatch.setattr("parley.api.operation._BODY_SECONDS", 0.3)
    async with serving(settings) as api:
        port = int(api.url.rpartition(":")[2])
        for sent, status in ((b"GET /healthz HT", 408), (post(SEND, BODY)[:-5], 408), (b"", 0)):
            answer = await exchange(port, sent)
            assert answer.status == status
            if status:
                assert (answer.json["code"], answer.headers["connection"]) == ("request_timeout", "close")
        async with line(port) as opened:
            await opened.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await opened.read()).status == 200
            await opened.write(b"GET /heal")
            assert (await opened.read()).status == 408


async def test_slow_clients_do_not_hold_up_others(api: Api, service: Service) -> None:
    """Two hundred that dribble head and body byte by byte; everybody else is served as ever, and they are too."""
    opened = [line(service.port) for _ in range(200)]
    lines = [await one.__aenter__() for one in opened]
    request_ = post(SEND, json.dumps(sms()).encode())
    for step in (request_[:5], request_[5:40], request_[40:-30], request_[-30:-10]):
        await asyncio.gather(*(one.write(step) for one in lines))
        async with asyncio.timeout(15):  # sooner than a slow head is given up
            await asyncio.gather(*(api.accepted(SEND, sms()) for _ in range(20)))
    await asyncio.gather(*(one.write(request_[-10:]) for one in lines))
    answers = await asyncio.gather(*(one.read() for one in lines))
    assert [answer.status for answer in answers] == [202] * 200
    await asyncio.gather(*(one.__aexit__(None, None, None) for one in opened))
