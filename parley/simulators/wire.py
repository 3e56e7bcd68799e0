"""The thin layer between ASGI and a vendor: what came in, what goes out, and how not to answer."""

import asyncio
import hmac
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.types import Receive, Scope, Send
from yarl import URL

from parley.simulators.ledger import Entry

ABORT = "parley.abort"
"""Scope key under which `run.py` puts the means to cut a connection."""

JSON = b"application/json"
json_encode = msgspec.json.Encoder().encode


class Gone(Exception):
    """The client left before its request was read."""


class TooLarge(Exception):
    """The request is larger than the vendor takes."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """A request, read."""

    scope: Scope
    body: bytes

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def query(self) -> str:
        return str(self.scope["query_string"].decode("latin-1"))

    def part(self, name: str) -> str:
        """A named part of the path."""
        return str(self.scope["path_params"][name])

    def header(self, name: bytes) -> bytes:
        """A header's value; the empty one if it is missing."""
        return next((value for key, value in self.scope["headers"] if key == name), b"")

    @property
    def origin(self) -> str:
        """Scheme and host under which the caller reached us."""
        host = self.header(b"host").decode("latin-1") or "localhost"
        return f"{self.scope.get('scheme', 'http')}://{host}"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A response; `entry` is set when it means that the vendor accepted a message."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = JSON
    entry: Entry | None = None

    def adding(self, *headers: tuple[bytes, bytes]) -> "Answer":
        """The same response with more headers."""
        return msgspec.structs.replace(self, headers=self.headers + headers)


def as_json(status: int, value: Any, entry: Entry | None = None) -> Answer:
    """A JSON response."""
    return Answer(status, json_encode(value), entry=entry)


async def read(receive: Receive, limit: int) -> bytes:
    """Read a request's body."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge
        if not event.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def give(send: Send, answer: Answer) -> None:
    """Send a response."""
    headers = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
    if answer.body:
        headers.append((b"content-type", answer.content_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Cut the connection without an answer; a server that cannot do that answers 503 and closes."""
    if (abort := scope.get(ABORT)) is None:
        await give(send, Answer(503, headers=((b"connection", b"close"),)))
        return
    abort()
    await until_gone(receive)


async def hold(scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
    """Leave the caller without an answer until it gives up, or cut it off in the end."""
    if not await leaves_within(receive, seconds):
        await hang_up(scope, receive, send)


async def leaves_within(receive: Receive, seconds: float) -> bool:
    """Whether the client gives up before the time is over."""
    try:
        await asyncio.wait_for(until_gone(receive), seconds)
    except TimeoutError:
        return False
    return True


async def until_gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def form(text: str) -> list[tuple[str, str]]:
    """Split a form or a query into its fields, in order; bytes that are no UTF-8 become U+FFFD."""
    pairs = URL.build(query_string=text, encoded=True).query.items()
    return [(name, value) for name, value in pairs if name]


def query_value(url: str, name: str) -> str | None:
    """A value from a URL's query."""
    _, _, query = url.partition("?")
    return dict(form(query.partition("#")[0])).get(name) or None


def is_url(text: object) -> bool:
    """Whether a vendor would call this address."""
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or " " in text:
        return False
    # Addresses that differ in their query alone are the rule: a callback names its message there.
    return _has_host(text.partition("?")[0])


@lru_cache(maxsize=1024)
def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "_" not in str(host) and port != 0


def same(given: bytes, wanted: str) -> bool:
    """Compare a credential in constant time."""
    return hmac.compare_digest(given, wanted.encode())
