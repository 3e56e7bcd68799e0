"""Every error becomes an answer of one shape, and what nobody foresaw says nothing of itself."""

import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from parley.api.problems import HttpProblem, problem
from parley.core.errors import (
    Conflict,
    DatabaseAway,
    Detail,
    Forged,
    Invalid,
    NotFound,
    Overloaded,
    Unreadable,
)

SCOPE: dict[str, Any] = {"request_id": "r1", "path": "/somewhere"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid("x"), 400, "invalid_request"),
        (Unreadable("x"), 400, "unreadable"),
        (Forged("x"), 401, "forged"),
        (NotFound("x"), 404, "not_found"),
        (HTTPException(405), 405, "method_not_allowed"),
        (Conflict("x"), 409, "conflict"),
        (HttpProblem(413, "x"), 413, "body_too_large"),
        (DatabaseAway("x"), 503, "database_unavailable"),
        (Overloaded("x"), 503, "overloaded"),
        (RuntimeError("x"), 500, "internal_error"),
    ],
)
def test_an_error_has_its_status_and_one_shape(error: Exception, status: int, code: str) -> None:
    """And a client that may come back is told so."""
    response = problem(SCOPE, error)
    body = json.loads(bytes(response.body))
    assert (response.status_code, body["code"]) == (status, code)
    assert body.keys() == {"code", "message", "details", "request_id"}
    assert body["request_id"] == "r1"
    assert ("retry-after" in response.headers) == (status == 503)


def test_details_name_the_fields() -> None:
    """In the answer as they were raised."""
    error = Invalid.fields([Detail("to", "is blank"), Detail("body", "is missing")])
    body = json.loads(bytes(problem(SCOPE, error).body))
    assert body["message"] == "to: is blank; body: is missing"
    assert body["details"] == [
        {"field": "to", "message": "is blank"},
        {"field": "body", "message": "is missing"},
    ]


def test_what_nobody_foresaw_tells_its_place_and_not_its_text() -> None:
    """An exception's text may hold a message: neither the caller nor the log gets it."""
    try:
        raise ValueError("dear Ann, the code is 4711")
    except ValueError as error:
        with capture_logs() as lines:
            response = problem(SCOPE, error)
    assert "4711" not in bytes(response.body).decode() + str(lines)
    assert (lines[0]["error"], lines[0]["request_id"]) == ("ValueError", "r1")
    assert "test_problems.py" in lines[0]["trail"][-1]
