"""What Twilio takes as a new message, and the code with which it turns the rest away."""

import re
from datetime import UTC, datetime

import msgspec

from parley.simulators.twilio.errors import Refused
from parley.simulators.wire import is_url

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_PUNCTUATION = str.maketrans("", "", " ()-.")

DELIVERY_FAILURES = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}
"""Twilio takes a message to `+150055` followed by one of these codes, and then fails with it."""

_MAGIC_TO = {
    "+15005550001": (21211, "The 'To' number {} is not a valid phone number."),
    "+15005550002": (
        21612,
        "The 'To' phone number: {}, is not currently reachable using the 'From' phone number",
    ),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region of {}"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number {} is not a valid mobile number"),
}
_MAGIC_FROM = {
    "+15005550001": (
        21212,
        "The 'From' number {} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    ),
    "+15005550007": (
        21606,
        "The 'From' phone number provided ({}) is not a valid message-capable Twilio phone number.",
    ),
    "+15005550008": (21611, "This 'From' number has exceeded the maximum number of queued messages"),
}


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A message that Twilio takes."""

    recipient: str
    sender: str
    body: str
    media: tuple[str, ...]
    service: str | None
    callback: str | None
    send_at: float | None
    failure: int | None


def check(fields: list[tuple[str, str]], service_sender: str, now: float) -> Draft:
    """Read a create request; raises `Refused` with Twilio's code."""
    given = dict(fields)
    media = tuple(value for name, value in fields if name == "MediaUrl" and value)
    body = given.get("Body", "")
    recipient = _recipient(given.get("To", ""))
    sender, service = _sender(given.get("From", ""), given.get("MessagingServiceSid", ""), service_sender)
    _check_content(body, media, given.get("ContentSid", ""))
    if recipient == sender:
        raise Refused(21266, f"'To' and 'From' number cannot be the same: {recipient}")
    return Draft(
        recipient=recipient,
        sender=sender,
        body=body,
        media=media,
        service=service,
        callback=_callback(given.get("StatusCallback", "")),
        send_at=_send_at(given, service, now),
        failure=_failure(recipient),
    )


def phone(text: str) -> str:
    """A number as Twilio reads it: punctuation dropped, a bare North American one completed."""
    bare = text.strip().translate(_PUNCTUATION)
    if bare.isascii() and bare.isdigit():
        return {10: "+1", 11: "+"}.get(len(bare), "") + bare
    return bare


def _recipient(text: str) -> str:
    if not text.strip():
        raise Refused(21604, "A 'To' phone number is required.")
    number = text if _E164.fullmatch(text) else phone(text)
    if not _E164.fullmatch(number):
        raise Refused(21211, f"The 'To' number {text[:100]} is not a valid phone number.")
    if number in _MAGIC_TO:
        code, message = _MAGIC_TO[number]
        raise Refused(code, message.format(number))
    return number


def _sender(text: str, service: str, service_sender: str) -> tuple[str, str | None]:
    service = service or (text if _SERVICE.fullmatch(text) else "")
    if service:
        if not _SERVICE.fullmatch(service):
            raise Refused(21703, "The Messaging Service does not exist or has no senders")
        return service_sender, service
    if not text.strip():
        raise Refused(21603, "A 'From' phone number is required.")
    number = text if _E164.fullmatch(text) else phone(text)
    code, message = _MAGIC_FROM.get(number, (0, ""))
    if code:
        raise Refused(code, message.format(number))
    if _E164.fullmatch(number) or _SHORT_CODE.fullmatch(number):
        return number, None
    if _ALPHANUMERIC.fullmatch(text):
        return text, None
    code, message = _MAGIC_FROM["+15005550001"]
    raise Refused(code, message.format(text[:100]))


def _check_content(body: str, media: tuple[str, ...], content: str) -> None:
    if not (body or media or content):
        raise Refused(21602, "Message body is required.")
    if len(body) > 1600:
        raise Refused(21617, "The concatenated message body exceeds the 1600 character limit.")
    if len(media) > 10:
        raise Refused(21623, "Number of media files exceeds allowed limit of 10")
    if not all(map(is_url, media)):
        raise Refused(21620, "Invalid media URL(s)")


def _callback(url: str) -> str | None:
    if url and not is_url(url):
        raise Refused(21609, f"The 'StatusCallback' URL {url[:200]} is not a valid URL.")
    return url or None


def _send_at(given: dict[str, str], service: str | None, now: float) -> float | None:
    if given.get("ScheduleType") != "fixed":
        return None
    if service is None:
        raise Refused(35118, "MessagingServiceSid is required to schedule a message")
    if not given.get("SendAt"):
        raise Refused(35111, "SendAt timestamp is missing")
    moment = when(given["SendAt"])
    if moment is None or not 300 <= moment - now <= 3_024_000:
        raise Refused(
            35114, "SendAt time must be between 300 seconds and 35 days (3024000 seconds) in the future"
        )
    return moment


def when(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or time; what names no zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _failure(recipient: str) -> int | None:
    if not recipient.startswith("+150055"):
        return None
    code = int(recipient[7:] or 0)
    return code if code in DELIVERY_FAILURES else None
