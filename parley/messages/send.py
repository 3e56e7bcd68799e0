"""What a business may send: checks an order against the rules and makes it a draft."""

from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from parley.core.address import Address, parse
from parley.core.errors import Detail, Invalid
from parley.core.ids import new_id
from parley.core.message import CHANNELS, Channel, Draft
from parley.core.segments import measure
from parley.core.thread import Grouping, thread


class Rules(msgspec.Struct, frozen=True):
    """The settings that decide how messages are read."""

    region: str
    grouping: Grouping
    max_attachments: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A message that somebody wants sent, as he wrote it."""

    account_id: int
    channel: str
    sender: str
    recipient: str
    body: str
    subject: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    attachments: tuple[str, ...] = ()
    timestamp: datetime | None = None
    priority: int = 1


def compose(order: Order, rules: Rules, now: datetime, idempotency_key: str | None = None) -> Draft:
    """Make an order a draft that waits for delivery; raises `Invalid` that names every wrong field."""
    wrong: list[Detail] = []
    channel = _channel(order.channel, wrong)
    sender = _address("from", order.sender, channel, rules, wrong)
    recipient = _address("to", order.recipient, channel, rules, wrong)
    _check_recipient(recipient, channel, wrong)
    _check_content(order, channel, rules, wrong)
    _check_mailboxes(order, channel, rules, wrong)
    occurred_at = _moment(order.timestamp, wrong) or now
    if wrong:
        raise Invalid.fields(wrong)
    place = thread(sender.group, recipient.group, channel, rules.grouping)
    return Draft(
        account_id=order.account_id,
        id=new_id(),
        direction="outbound",
        channel=channel,
        thread_key=place.key,
        conversation_uuid=place.uuid,
        conversation_channel=place.channel,
        participants=place.participants,
        from_address=sender.value,
        to_address=recipient.value,
        from_raw=order.sender if order.sender != sender.value else None,
        to_raw=order.recipient if order.recipient != recipient.value else None,
        body=order.body,
        status="queued",
        occurred_at=occurred_at,
        subject=order.subject,
        cc=order.cc,
        bcc=order.bcc,
        reply_to=order.reply_to,
        attachments=order.attachments,
        idempotency_key=idempotency_key,
        request_hash=fingerprint(order) if idempotency_key else None,
        segments=measure(order.body).count if channel == "sms" else 1,
        priority=order.priority,
    )


def fingerprint(order: Order) -> str:
    """Two orders with the same meaning have the same fingerprint, whatever their JSON looked like."""
    return sha256(msgspec.json.encode(order)).hexdigest()


def as_utc(moment: datetime) -> datetime:
    """A moment without an offset is meant in UTC; raises `OverflowError` at the ends of the calendar."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _channel(name: str, wrong: list[Detail]) -> Channel:
    for channel in CHANNELS:
        if channel == name.strip().lower():
            return channel
    wrong.append(Detail("type", f"is {name[:40]!r}, but takes sms, mms or email"))
    return "sms"


def _address(field: str, raw: str, channel: Channel, rules: Rules, wrong: list[Detail]) -> Address:
    try:
        if not raw.strip():
            raise ValueError("must not be blank")
        if "\0" in raw:
            raise ValueError("must not contain NUL characters")
        return parse(raw, channel, rules.region)
    except ValueError as error:
        wrong.append(Detail(field, str(error)))
        return Address("", "")


def _check_recipient(recipient: Address, channel: Channel, wrong: list[Detail]) -> None:
    if channel != "email" and recipient.value and not recipient.value.lstrip("+").isdigit():
        wrong.append(Detail("to", "is a sender id, which cannot receive"))


def _check_content(order: Order, channel: Channel, rules: Rules, wrong: list[Detail]) -> None:
    if channel != "mms" and not order.body.strip():
        wrong.append(Detail("body", "must not be blank"))
    if channel == "mms" and not order.attachments:
        wrong.append(Detail("attachments", "an MMS needs at least one"))
    if len(order.attachments) > rules.max_attachments:
        wrong.append(Detail("attachments", f"must not be more than {rules.max_attachments}"))
    wrong += [
        Detail(f"attachments[{n}]", "is not an http or https URL")
        for n, url in enumerate(order.attachments)
        if not _is_web_url(url)
    ]
    texts = {"body": order.body, "subject": order.subject or ""}
    wrong += [
        Detail(field, "must not contain NUL characters") for field, text in texts.items() if "\0" in text
    ]


def _check_mailboxes(order: Order, channel: Channel, rules: Rules, wrong: list[Detail]) -> None:
    more = {"cc": order.cc, "bcc": order.bcc, "reply_to": order.reply_to}
    if channel != "email":
        wrong += [Detail(field, "is for emails only") for field, value in more.items() if value]
        return
    mailboxes = {f"cc[{n}]": raw for n, raw in enumerate(order.cc)}
    mailboxes |= {f"bcc[{n}]": raw for n, raw in enumerate(order.bcc)}
    if order.reply_to is not None:
        mailboxes["reply_to"] = order.reply_to
    for field, raw in mailboxes.items():
        _address(field, raw, "email", rules, wrong)


def _moment(timestamp: datetime | None, wrong: list[Detail]) -> datetime | None:
    try:
        return as_utc(timestamp) if timestamp is not None else None
    except OverflowError:
        wrong.append(Detail("timestamp", "lies beyond the calendar"))
        return None


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "\0" not in url and len(url) <= 2048
