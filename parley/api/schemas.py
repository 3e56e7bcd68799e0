"""What goes in and out over HTTP; these declarations validate requests and make the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from parley.conversations.read import Filter, State
from parley.core.errors import Detail
from parley.core.message import CHANNELS, Channel
from parley.core.page import Window
from parley.messages.read import Message

T = TypeVar("T")

Text = Annotated[str, Meta(examples=["Hello, how can I help?"])]
Phone = Annotated[
    str, Meta(description="E.164, a national number, a short code or a sender id", examples=["+12016661234"])
]
Mailbox = Annotated[
    str,
    Meta(
        description="`a@b.com`, `Name <a@b.com>` or `[a@b.com](mailto:a@b.com)`", examples=["ann@example.com"]
    ),
]
Address = Annotated[
    str, Meta(description="A phone number or an email address, as the type asks", examples=["+12016661234"])
]
Urls = Annotated[
    list[str] | None, Meta(description="http(s) URLs", examples=[["https://example.com/picture.png"]])
]
Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Moment = Annotated[datetime | None, Meta(description="RFC 3339; without an offset UTC; default now")]

_FROM_TO = {"sender": "from", "recipient": "to"}


class SendSms(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """An SMS or MMS to send; an MMS needs an attachment and may have an empty body."""

    sender: Phone
    recipient: Phone
    type: Annotated[str, Meta(description="`sms` or `mms`, in any case", examples=["sms"])]
    body: Text | None = None
    attachments: Urls = None
    timestamp: Moment = None
    priority: Literal["high", "normal"] = "normal"


class SendEmail(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """An email to send; the body is text or HTML."""

    sender: Mailbox
    recipient: Mailbox
    body: Text
    subject: str | None = None
    cc: list[Mailbox] | None = None
    bcc: list[Mailbox] | None = None
    reply_to: Mailbox | None = None
    attachments: Urls = None
    timestamp: Moment = None
    priority: Literal["high", "normal"] = "normal"


class SendAny(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """A message to send over the channel that `type` names."""

    sender: Address
    recipient: Address
    type: Annotated[str, Meta(description="`sms`, `mms` or `email`, in any case", examples=["email"])]
    body: Text | None = None
    subject: str | None = None
    cc: list[Mailbox] | None = None
    bcc: list[Mailbox] | None = None
    reply_to: Mailbox | None = None
    attachments: Urls = None
    timestamp: Moment = None
    priority: Literal["high", "normal"] = "normal"


class Accepted(msgspec.Struct, kw_only=True):
    """A message that is stored for good."""

    status: Literal["accepted"] = "accepted"
    message_id: Id
    conversation_id: str
    provider_message_id: str | None
    duplicate: bool = False


class PageQuery(msgspec.Struct, kw_only=True, rename={"page_size_camel": "pageSize"}):
    """Which part of a list; `cursor` costs the same at any depth and wins over `page`."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    page_size_camel: Annotated[int, Meta(ge=0, description="0 means 50; at most 50")] | None = None
    page_size: Annotated[int, Meta(ge=0, description="0 means 50; at most 50")] | None = None
    per_page: Annotated[int, Meta(ge=0, description="0 means 50; at most 200")] | None = None
    cursor: Annotated[str, Meta(description="`meta.next_cursor` of the page before")] | None = None

    @property
    def window(self) -> Window:
        """What is asked for; the older names of the page size keep their older cap."""
        if self.per_page is not None:
            return Window(min(self.per_page or 50, 200), self.page, self.cursor)
        older = self.page_size_camel if self.page_size_camel is not None else self.page_size
        return Window(min(older or 50, 50), self.page, self.cursor)


ChannelNames = Annotated[
    str,
    Meta(
        pattern="^(sms|mms|email)(,(sms|mms|email))*$",
        description="Any of these channels, separated by commas",
        examples=["sms,mms"],
    ),
]


def channels(names: str | None) -> tuple[Channel, ...]:
    """Read the channels of a query."""
    return tuple(channel for channel in CHANNELS if channel in (names or "").split(","))


class ConversationsQuery(PageQuery, kw_only=True, rename={"page_size_camel": "pageSize"}):
    """Which conversations, and which part of them."""

    state: State | None = None
    channel: ChannelNames | None = None

    @property
    def only(self) -> Filter:
        """Which conversations are asked for."""
        return Filter(self.state, channels(self.channel))


class PageMeta(msgspec.Struct):
    """Where a page stands in its list."""

    page: int
    page_size: int
    total: Annotated[int | None, Meta(description="Exact; null where a filter would make counting expensive")]
    next_cursor: str | None


class Listed(msgspec.Struct, Generic[T]):
    """One page of a list."""

    items: list[T]
    meta: PageMeta


class Problem(msgspec.Struct):
    """What went wrong; every error of every route has this shape."""

    code: str
    message: str
    details: list[Detail]
    request_id: str


class Health(msgspec.Struct):
    """The process is up."""

    status: Literal["healthy"] = "healthy"


class Readiness(msgspec.Struct):
    """The service can do its work; where it cannot, the problem names what is missing."""

    status: Literal["ready"] = "ready"
    database: bool = True
    migrations: bool = True
    worker: bool = True


class MockInbound(msgspec.Struct, kw_only=True, rename=_FROM_TO):
    """A message that a simulated provider is to deliver to our webhook."""

    channel: Annotated[str, Meta(description="`sms`, `mms` or `email`", examples=["sms"])]
    sender: str
    recipient: str
    body: str | None = None
    subject: str | None = None
    attachments: list[str] | None = None
    timestamp: Moment = None
    messaging_provider_id: str | None = None
    xillio_id: str | None = None


Percent = Annotated[float, Meta(ge=0, le=100)]


class MockConfig(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What part of the requests the simulated providers answer badly; absent fields stay as they are."""

    timeout_pct: Percent | None = None
    error_pct: Percent | None = None
    ratelimit_pct: Percent | None = None
    seed: int | None = None


class LegacySms(msgspec.Struct, rename={"recipient": "to", "sender": "from"}):
    """The earlier service's SMS."""

    recipient: str
    sender: str
    body: str


class LegacyEmail(msgspec.Struct):
    """The earlier service's email."""

    to_email: str
    body: str
    subject: str | None = None
    from_email: str | None = None


class LegacySent(msgspec.Struct, omit_defaults=True):
    """The earlier service's answer to a message."""

    success: bool
    status: str
    method: str
    message_id: Id | msgspec.UnsetType = msgspec.UNSET
    email_id: Id | msgspec.UnsetType = msgspec.UNSET


class LegacyMessages(msgspec.Struct):
    """The earlier service's list."""

    messages: list[Message]


class SinceQuery(msgspec.Struct):
    """From when on."""

    since: Annotated[str, Meta(description="RFC 3339", extra_json_schema={"format": "date-time"})]
