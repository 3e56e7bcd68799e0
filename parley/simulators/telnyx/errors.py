"""Telnyx's error bodies."""

from typing import Any

from parley.simulators.door import Vendor
from parley.simulators.wire import Answer, as_json


class Refused(Exception):
    """Telnyx does not take this request."""

    def __init__(self, status: int, code: str, title: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(title)
        self.answer = error(status, code, title, detail, pointer)


def error(status: int, code: str, title: str, detail: str, pointer: str | None = None) -> Answer:
    """An error as Telnyx words it."""
    shown: dict[str, Any] = {
        "code": code,
        "title": title,
        "detail": detail,
        "meta": {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"},
    }
    if pointer:
        shown["source"] = {"pointer": pointer}
    return as_json(status, {"errors": [shown]})


UNAUTHORIZED = error(
    401,
    "10009",
    "Authentication failed",
    "The required authentication headers were either invalid or not included in the request.",
)
NOT_FOUND = error(404, "10005", "Resource not found", "The requested resource or URL could not be found.")
MALFORMED = error(400, "10015", "Bad Request", "The request failed because it was not well-formed.")

TELNYX = Vendor(
    name="telnyx",
    limit=1_000_000,
    broken=error(500, "10007", "Unexpected error", "An unexpected error occured."),
    throttled=error(
        429, "10011", "Too many requests", "You have exceeded the maximum number of allowed requests."
    ),
    refused=error(503, "10007", "Service unavailable", "The service is not available at the moment."),
    too_large=error(413, "10015", "Bad Request", "The request is too large."),
    wrong_method=error(405, "10015", "Method not allowed", "This method is not allowed here."),
)
