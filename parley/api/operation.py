"""One route as a value: what it takes, what it answers, and the function it calls.

The HTTP endpoint and the OpenAPI document are both made from it, so they cannot disagree.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from parley.api.frame import HEAD, WHOLE
from parley.api.negotiate import JSON, accepts, is_json
from parley.api.problems import HttpProblem
from parley.core.decode import convert, decode
from parley.core.errors import Invalid

_BODY_SECONDS = 20.0
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A route of the API; `call` gets the request and, where declared, `body`, `query` and path parameters."""

    method: str
    path: str
    call: Callable[..., Awaitable[Any]]
    summary: str
    tag: str
    answer: Any
    status: int = 200
    body: Any = None
    decodes: bool = False
    """The call reads and decodes the declared body itself, because it keeps it raw."""
    query: Any = None
    errors: tuple[int, ...] = ()
    invalid: int = 400
    """The status for a request that breaks a rule."""
    any_accept: bool = False
    """Whether the address is free of the 406 rule."""
    limited: bool = True
    """Whether the rate limit per client applies."""
    deprecated: bool = False


@dataclass(frozen=True)
class Answer:
    """A value with headers, or a status, of its own."""

    value: Any
    headers: dict[str, str]
    status: int | None = None


Admit = Callable[[Request], Awaitable[None]]


def routes(operations: Sequence[Operation], max_body_bytes: int, admit: Admit) -> list[Route]:
    """Make one route an address, so that a 405 names all its methods."""
    by_path: dict[str, dict[str, _Endpoint]] = {}
    for operation in operations:
        endpoint = _Endpoint(operation, max_body_bytes, admit)
        by_path.setdefault(operation.path, {})[operation.method] = endpoint
    return [
        Route(path, _Methods(endpoints), methods=list(endpoints), name=path)
        for path, endpoints in by_path.items()
    ]


class _Methods:
    """What stands at one address; given as an object, the router calls it without wrapping it."""

    def __init__(self, endpoints: "dict[str, _Endpoint]") -> None:
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._endpoints[method](scope, receive, send)


class _Endpoint:
    """The ASGI application behind one operation."""

    def __init__(self, operation: Operation, max_body_bytes: int, admit: Admit) -> None:
        typed = operation.body is not None and not operation.decodes
        self._decoder = msgspec.json.Decoder(operation.body) if typed else None
        self._operation = operation
        self._max_body_bytes = max_body_bytes
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        operation = self._operation
        if operation.limited:
            await self._admit(request)
        _check_headers(operation, request)
        try:
            answer = await operation.call(request, **await self._arguments(request))
        except Invalid as error:
            if operation.invalid == 400:
                raise
            raise HttpProblem(operation.invalid, error.message, error.details) from None
        await _respond(answer, operation.status)(scope, receive, send)

    async def _arguments(self, request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = dict(request.path_params)
        if self._decoder is not None:
            arguments["body"] = decode(self._decoder, await read_body(request, self._max_body_bytes))
        if self._operation.query is not None:
            arguments["query"] = convert(_given(request), self._operation.query)
        return arguments


def _respond(answer: Any, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Answer):
        return Response(_encode(answer.value), answer.status or status, answer.headers, media_type=JSON)
    return Response(_encode(answer), status, media_type=JSON)


def _check_headers(operation: Operation, request: Request) -> None:
    if not operation.any_accept and not accepts(header(request, b"accept")):
        raise HttpProblem(406, "this address answers application/json only")
    if operation.body is not None and not is_json(header(request, b"content-type")):
        raise HttpProblem(415, "this address takes application/json in UTF-8 only")


def header(request: Request, name: bytes) -> str:
    """A header's value, or nothing; the frame has sorted them by name already."""
    value: bytes = request.scope[HEAD].get(name, b"")
    return value.decode("latin-1")


def _given(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if value != ""}


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body that keeps to the limit and arrives in reasonable time."""
    announced = header(request, b"content-length")
    _keep_to(limit, int(announced) if announced.isdigit() else 0)
    try:
        if WHOLE in request.scope:  # then it is one piece and nobody waits: a clock would only cost time
            return _piece(await request.receive(), limit)
        async with asyncio.timeout(_BODY_SECONDS):
            return await _gathered(request, limit)
    except TimeoutError:
        raise HttpProblem(408, "the body took too long to arrive", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise HttpProblem(400, "the body stopped half-way", headers={"Connection": "close"}) from None


def _piece(message: Message, limit: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message["body"]
    _keep_to(limit, len(body))
    return body


async def _gathered(request: Request, limit: int) -> bytes:
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _keep_to(limit, size)
        chunks.append(chunk)
    return b"".join(chunks)


def _keep_to(limit: int, size: int) -> None:
    if size > limit:
        raise HttpProblem(413, f"the body is larger than {limit} bytes")
