"""One route as a value: what it takes, what it answers, and the function it calls.

The HTTP endpoint and the OpenAPI document are both made from it, so they cannot disagree.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from parley.api.negotiate import JSON, accepts, is_json
from parley.api.problems import HttpProblem
from parley.core.errors import Detail, Invalid

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


def route(operation: Operation, max_body_bytes: int, admit: Callable[[Request], Awaitable[None]]) -> Route:
    """Make the endpoint of an operation."""
    typed = operation.body is not None and not operation.decodes
    decoder = msgspec.json.Decoder(operation.body) if typed else None

    async def endpoint(request: Request) -> Response:
        if operation.limited:
            await admit(request)
        _check_headers(operation, request)
        try:
            arguments: dict[str, Any] = dict(request.path_params)
            if decoder is not None:
                arguments["body"] = _decode(decoder, await read_body(request, max_body_bytes))
            if operation.query is not None:
                arguments["query"] = _query(operation.query, request)
            return _respond(await operation.call(request, **arguments), operation.status)
        except Invalid as error:
            if operation.invalid == 400:
                raise
            raise HttpProblem(operation.invalid, error.message, error.details) from None

    return Route(operation.path, endpoint, methods=[operation.method], name=operation.call.__qualname__)


def _respond(answer: Any, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Answer):
        return Response(_encode(answer.value), answer.status or status, answer.headers, media_type=JSON)
    return Response(_encode(answer), status, media_type=JSON)


def _check_headers(operation: Operation, request: Request) -> None:
    if not operation.any_accept and not accepts(request.headers.get("accept", "")):
        raise HttpProblem(406, "this address answers application/json only")
    if operation.body is not None and not is_json(request.headers.get("content-type", "")):
        raise HttpProblem(415, "this address takes application/json in UTF-8 only")


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body that keeps to the limit and arrives in reasonable time."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise HttpProblem(413, f"the body is larger than {limit} bytes")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            chunks = []
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise HttpProblem(413, f"the body is larger than {limit} bytes")
                chunks.append(chunk)
    except TimeoutError:
        raise HttpProblem(408, "the body took too long to arrive", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise HttpProblem(400, "the body stopped half-way", headers={"Connection": "close"}) from None
    return b"".join(chunks)


def _decode(decoder: "msgspec.json.Decoder[Any]", raw: bytes) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise explain(error, raw, decoder.type) from None


def explain(error: Exception, raw: bytes, kind: Any) -> Invalid:
    """Name every field that is wrong, where the decoder stopped at the first."""
    if not isinstance(error, msgspec.ValidationError):
        return Invalid.field("body", f"is not JSON that can be read: {str(error)[:200]}")
    value = msgspec.json.decode(raw)
    if not isinstance(value, dict):
        return Invalid.field("body", "must be a JSON object")
    return Invalid(_plain(error), _wrong_fields(value, kind) or (Detail("body", _plain(error)),))


def _wrong_fields(given: dict[str, Any], kind: Any, *, strict: bool = True) -> tuple[Detail, ...]:
    hints = get_type_hints(kind, include_extras=True)
    wrong = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in given:
            if field.required:
                wrong.append(Detail(field.encode_name, "is missing"))
            continue
        try:
            msgspec.convert(given[field.encode_name], hints[field.name], strict=strict)
        except msgspec.ValidationError as error:
            wrong.append(Detail(field.encode_name, _plain(error)))
    return tuple(wrong)


def _plain(error: msgspec.ValidationError) -> str:
    """The decoder's sentence without its punctuation for machines."""
    text = str(error).replace("`", "")
    return text[:1].lower() + text[1:]


def _query(kind: Any, request: Request) -> Any:
    given = {name: value for name, value in request.query_params.items() if value != ""}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(_plain(error), _wrong_fields(given, kind, strict=False)) from None
