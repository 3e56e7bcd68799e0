"""What Telnyx takes as a new message, and the code with which it turns the rest away."""

import re

import msgspec

from parley.simulators.telnyx.errors import MALFORMED, Refused
from parley.simulators.wire import Answer, is_url

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_IDEMPOTENCY_KEY = re.compile(rb"[A-Za-z0-9_:-]{1,255}")

DELIVERY_FAILURES = {
    40001: ("Not routable", "The destination number is either a landline or a non-routable wireless number."),
    40002: ("Blocked as spam - temporary", "The message was flagged by a SPAM filter and was not delivered."),
    40003: ("Blocked as spam - permanent", "The source number has been flagged and can no longer send."),
    40004: ("Rejected by destination", "The message was rejected by the recipient for an unknown reason."),
    40005: ("Message expired during transmission", "The message expired before it was delivered."),
    40006: ("Recipient server unavailable", "The recipient server is unavailable or not responding."),
    40008: ("Undeliverable", "The recipient carrier did not accept the message."),
}
"""Telnyx takes a message to `+150055` followed by one of these codes, and then fails with it."""


class Order(msgspec.Struct, gc=False, rename={"sender": "from"}):
    """The body of `/v2/messages`; `to` is one number, or an array of one."""

    to: str | list[str] | None = None
    sender: str | None = None
    messaging_profile_id: str | None = None
    text: str | None = None
    subject: str | None = None
    media_urls: list[str] = []
    webhook_url: str | None = None
    webhook_failover_url: str | None = None


_decoder = msgspec.json.Decoder(Order)


def check(body: bytes) -> tuple[Order, str]:
    """Read a create request and its one recipient; raises `Refused` with Telnyx's code."""
    order = _decode(body)
    recipient = _recipient(order.to)
    if not order.sender and not order.messaging_profile_id:
        raise _missing("from")
    if order.sender and (not _SENDER.fullmatch(order.sender) or order.sender == "+15005550001"):
        raise Refused(
            400,
            "40305",
            "Invalid 'from' address",
            "The 'from' address should be a string of a number.",
            "/from",
        )
    if not order.text and not order.media_urls:
        raise _missing("text")
    if len(order.text or "") > 1600:
        raise Refused(400, "40302", "Message too large", "The message is longer than 10 segments.", "/text")
    _check_urls(order)
    return order, recipient


def idempotency_key(header: bytes) -> bytes | None:
    """The key of a request that may be repeated; raises `Refused` for one that cannot be a key."""
    if header and not _IDEMPOTENCY_KEY.fullmatch(header):
        raise Refused(400, "10015", "Bad Request", "The Idempotency-Key is not valid.")
    return header or None


def failure(recipient: str) -> int | None:
    """The code with which delivery to this number fails, if it does."""
    if recipient == "+15005550009":
        return 40001
    code = int(recipient[7:] or 0) if recipient.startswith("+150055") else 0
    return code if code in DELIVERY_FAILURES else None


def blocked(sender: str, recipient: str) -> Answer:
    """The recipient wrote STOP to this sender."""
    detail = f"Messages cannot be sent from '{sender}' to '{recipient}' due to an existing block rule."
    return Refused(400, "40300", "Blocked due to STOP message", detail).answer


def _decode(body: bytes) -> Order:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as wrong:
        pointer = re.search(r"`\$\.(\w+)", str(wrong))
        raise Refused(
            422,
            "10015",
            "Invalid parameters",
            "A parameter has the wrong type.",
            f"/{pointer[1]}" if pointer else None,
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _malformed() from None


def _recipient(to: str | list[str] | None) -> str:
    if not to:
        raise _missing("to")
    numbers = [to] if isinstance(to, str) else to
    if len(numbers) != 1 or not _E164.fullmatch(numbers[0]) or numbers[0] == "+15005550001":
        raise Refused(
            400, "40310", "Invalid 'to' address", "The 'to' address should be a single valid number.", "/to"
        )
    return numbers[0]


def _check_urls(order: Order) -> None:
    urls = {"webhook_url": order.webhook_url, "webhook_failover_url": order.webhook_failover_url}
    urls.update({f"media_urls/{place}": url for place, url in enumerate(order.media_urls)})
    for field, url in urls.items():
        if url is not None and not is_url(url):
            raise Refused(422, "10003", "Invalid URL", "The URL provided was invalid.", f"/{field}")


def _missing(field: str) -> Refused:
    return Refused(
        422, "10004", "Missing required parameter", f"The '{field}' parameter is missing.", f"/{field}"
    )


def _malformed() -> Refused:
    refused = Refused(400, "10015", "Bad Request", "")
    refused.answer = MALFORMED
    return refused
