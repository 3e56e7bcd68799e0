"""The frame around every request: its id, its headers, its line in the log, its time in the metrics."""

import logging
import re
import time

import structlog
from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send
from uuid_utils import uuid7

from parley import metrics
from parley.api.client import Proxies, client_ip
from parley.api.problems import problem

log = structlog.get_logger()

HEAD, WHOLE = "parley.head", "parley.whole"
"""Keys of a request's scope: its headers by name; set once all of it has arrived, so that reading it is not waiting."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SECURITY = [
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
]


class Frame:
    """ASGI around ASGI; one small object a request."""

    def __init__(self, app: Router, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # Its presence makes the router raise what it refuses, instead of answering in plain text.
        scope["app"] = self
        visit = _Visit(scope, send, self._proxies)
        try:
            await self._app(scope, receive, visit.send)
        except Exception as error:
            # A response that has begun can only be cut off, which is what the server does when we raise.
            if visit.status:
                raise
            await problem(scope, error)(scope, receive, visit.send)
        finally:
            visit.finish()


class _Visit:
    """One request on its way through."""

    __slots__ = ("_scope", "_send", "_started", "status")

    def __init__(self, scope: Scope, send: Send, proxies: Proxies) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        scope["request_id"] = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        scope["client_ip"] = client_ip(scope, headers, proxies)
        scope[HEAD] = headers
        self._scope = scope
        self._send = send
        self.status = 0
        self._started = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            names = {name for name, _ in message["headers"]}
            own = [(name, value) for name, value in SECURITY if name not in names]
            request_id = (b"x-request-id", self._scope["request_id"].encode())
            message["headers"] = [*message["headers"], *own, request_id]
        await self._send(message)

    def finish(self) -> None:
        spent = time.perf_counter() - self._started
        scope = self._scope
        route = scope.get("route")
        template = getattr(route, "path", "unknown")
        if "stream" not in scope:  # how long somebody listened says nothing of how fast we are
            metrics.request(scope["method"], template, self.status, spent)
        if log.is_enabled_for(logging.INFO):  # what nobody reads is not put together
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=self.status,
                duration_us=int(spent * 1e6),
                client_ip=scope["client_ip"],
                request_id=scope["request_id"],
                headers=[name.decode("latin-1") for name, _ in scope["headers"]],
            )
