"""SendGrid's error bodies."""

from parley.simulators.door import Vendor
from parley.simulators.wire import Answer, as_json

_DOCS = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"


class Refused(Exception):
    """SendGrid does not take this mail."""

    def __init__(
        self, message: str, field: str | None = None, topic: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.answer = error(status, message, field, f"{_DOCS}#{topic}" if topic else None)


def error(status: int, message: str, field: str | None = None, help: str | None = None) -> Answer:
    """An error as SendGrid words it."""
    return as_json(status, {"errors": [{"message": message, "field": field, "help": help}]})


UNAUTHORIZED = error(401, "The provided authorization grant is invalid, expired, or revoked")
UNSUPPORTED = error(415, "Content-Type should be application/json.")

SENDGRID = Vendor(
    name="sendgrid",
    limit=31_457_280,
    broken=error(500, "Internal Server Error"),
    throttled=error(429, "too many requests").adding(
        (b"x-ratelimit-limit", b"600"), (b"x-ratelimit-remaining", b"0")
    ),
    refused=error(503, "Service Unavailable"),
    too_large=error(413, "The JSON payload you have included in your request is too large."),
    wrong_method=error(405, "method not allowed"),
)
