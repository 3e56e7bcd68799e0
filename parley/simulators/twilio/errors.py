"""Twilio's error bodies."""

from parley.simulators.door import Vendor
from parley.simulators.wire import Answer, as_json


class Refused(Exception):
    """Twilio does not take this request."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.answer = error(code, message, status)


def error(code: int, message: str, status: int = 400) -> Answer:
    """An error as Twilio words it."""
    return as_json(
        status,
        {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
    )


def not_found(path: str) -> Answer:
    """There is no such resource."""
    return error(20404, f"The requested resource {path.removeprefix('/twilio')} was not found", 404)


UNAUTHORIZED = error(20003, "Authenticate", 401).adding((b"www-authenticate", b'Basic realm="Twilio API"'))

TWILIO = Vendor(
    name="twilio",
    limit=1_000_000,
    broken=error(20500, "An internal server error has occurred", 500),
    throttled=error(20429, "Too Many Requests", 429).adding((b"twilio-concurrent-requests", b"100")),
    refused=error(20503, "Service unavailable", 503),
    too_large=error(20413, "Request entity too large", 413),
    wrong_method=error(20004, "Method not allowed", 405),
)
