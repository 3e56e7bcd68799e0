"""The one shape of every error, and the one place that gives an error its HTTP status."""

from collections.abc import Mapping

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parley.api.schemas import Problem
from parley.core import errors
from parley.core.errors import Detail, ParleyError

log = structlog.get_logger()

_STATUS: dict[type[ParleyError], int] = {
    errors.Invalid: 400,
    errors.Unreadable: 400,
    errors.Forged: 401,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.DatabaseAway: 503,
    errors.Overloaded: 503,
}

_CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal_error",
    502: "bad_gateway",
    503: "unavailable",
}

_RETRY_AFTER = "2"
_encode = msgspec.json.Encoder().encode


class HttpProblem(ParleyError):
    """A refusal that only makes sense in HTTP."""

    def __init__(
        self,
        status: int,
        message: str,
        details: tuple[Detail, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, details)
        self.status = status
        self.code = _CODES[status]
        self.headers = headers


def status_of(error: ParleyError) -> int:
    """The HTTP status of one of our errors."""
    if isinstance(error, HttpProblem):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def problem(request: Request, error: ParleyError, status: int | None = None) -> Response:
    """Answer a refusal."""
    status = status or status_of(error)
    headers = dict(error.headers or {}) if isinstance(error, HttpProblem) else {}
    if status == 503:
        headers.setdefault("Retry-After", _RETRY_AFTER)
    body = Problem(error.code, error.message, list(error.details), request.scope.get("request_id", ""))
    return Response(_encode(body), status, headers, media_type="application/json")


async def on_parley_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParleyError)
    return problem(request, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """The router's own refusals: no such path, no such method."""
    assert isinstance(error, HTTPException)
    status = error.status_code if error.status_code in _CODES else 400
    return problem(request, HttpProblem(status, str(error.detail), headers=error.headers), error.status_code)


async def on_crash(request: Request, error: Exception) -> Response:
    """Whatever else happens is our fault; the log has it, the caller gets its request id."""
    log.error("crash", request_id=request.scope.get("request_id"), path=request.url.path, exc_info=error)
    return problem(request, HttpProblem(500, "something went wrong on our side"))
