"""The one shape of every error, and the one place that gives an error its HTTP status."""

from collections.abc import Mapping

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from parley.api.schemas import Problem
from parley.core import errors
from parley.core.errors import Detail, ParleyError
from parley.core.trouble import trail

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
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "rate_limited",
    431: "head_too_large",
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


def problem(scope: Scope, error: Exception) -> Response:
    """Answer whatever was raised; what nobody raised on purpose is our fault, and only the log says what it was."""
    request_id = scope["request_id"]
    refusal = _refusal(error)
    if refusal is None:
        kind = type(error).__name__
        log.error("crash", request_id=request_id, path=scope["path"], error=kind, trail=trail(error))
        refusal = HttpProblem(500, "something went wrong on our side")
    body = Problem(refusal.code, refusal.message, list(refusal.details), request_id)
    return Response(_encode(body), status_of(refusal), headers_of(refusal), media_type="application/json")


def _refusal(error: Exception) -> ParleyError | None:
    if isinstance(error, ParleyError):
        return error
    if isinstance(error, HTTPException) and error.status_code in _CODES:  # the router's own
        return HttpProblem(error.status_code, str(error.detail), headers=error.headers)
    return None


def headers_of(error: ParleyError) -> dict[str, str]:
    """The headers of a refusal; who comes at a bad moment is told when to come again."""
    headers = dict(error.headers or {}) if isinstance(error, HttpProblem) else {}
    return {"Retry-After": _RETRY_AFTER, **headers} if status_of(error) == 503 else headers


def status_of(error: ParleyError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, HttpProblem):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
