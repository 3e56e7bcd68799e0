"""A conversation's messages as bubbles: which belong together, where days begin, what became of them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from parley.core.snippet import is_html
from parley.messages.read import Message
from parley.web import mail, times
from parley.web.text import file_name, is_picture, is_web_url

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

WORDS = {
    "received": "Received",
    "queued": "Queued",
    "sending": "Sending",
    "sent": "Sent",
    "delivered": "Delivered",
    "undelivered": "Not delivered",
    "failed": "Not sent",
    "canceled": "Cancelled",
    "read": "Read",
}
FAILED = ("failed", "undelivered")


class Attachment(msgspec.Struct, frozen=True):
    """Something that came with a message; an address that no page should follow is only shown."""

    url: str
    name: str
    follows: bool
    picture: bool


class Bubble(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the thread shows it; `day` is the day's name if it begins with this message."""

    message: Message
    key: str
    continues: bool
    day: str | None
    day_key: str
    attachments: list[Attachment]
    html: bool
    remote: bool
    word: str

    @property
    def failed(self) -> bool:
        return self.message.status in FAILED

    @property
    def retriable(self) -> bool:
        return self.failed

    @property
    def cancelable(self) -> bool:
        return self.message.status == "queued"

    @property
    def pictures(self) -> list[Attachment]:
        return [one for one in self.attachments if one.picture]

    @property
    def files(self) -> list[Attachment]:
        return [one for one in self.attachments if not one.picture]


def bubbles(
    messages: Sequence[Message], now: datetime, where: tzinfo, only: Collection[str] | None = None
) -> Iterator[Bubble]:
    """Make bubbles of messages in their order; with `only`, of these and of those right after them."""
    before: Message | None = None
    for message in messages:
        if only is None or str(message.id) in only or (before is not None and str(before.id) in only):
            yield _bubble(message, before, now, where)
        before = message


def _bubble(message: Message, before: Message | None, now: datetime, where: tzinfo) -> Bubble:
    day = _day(message, where)
    begins = before is None or _day(before, where) != day
    html = message.channel == "email" and is_html(message.body)
    return Bubble(
        message=message,
        key=sort_key(message),
        continues=before is not None and not begins and _continues(before, message),
        day=times.day(message.timestamp, now, where) if begins else None,
        day_key=micros(datetime.combine(day, time(), where)),
        attachments=[_attachment(url, message.channel) for url in message.attachments],
        html=html,
        remote=html and mail.has_remote_pictures(message.body),
        word=WORDS.get(message.status, message.status),
    )


def sort_key(message: Message) -> str:
    """The place of a message in its conversation, comparable as text."""
    return f"{micros(message.timestamp)}-{message.id}"


def micros(at: datetime) -> str:
    """A moment as text that sorts like it."""
    return f"{(at - _EPOCH) // _MICROSECOND:020d}"


def _day(message: Message, where: tzinfo) -> date:
    return message.timestamp.astimezone(where).date()


def _continues(before: Message, message: Message) -> bool:
    """Whether a message joins the one before it: the same side, the same minute, no mail."""
    return (
        before.direction == message.direction
        and before.sender == message.sender
        and "email" not in (before.channel, message.channel)
        and before.timestamp.replace(second=0, microsecond=0)
        == message.timestamp.replace(second=0, microsecond=0)
    )


def _attachment(url: str, channel: str) -> Attachment:
    follows = is_web_url(url)
    return Attachment(url, file_name(url), follows, follows and is_picture(url, channel))
