"""The table of contents: every address of the API, what it takes and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.convertors import Convertor, register_url_convertor

from parley.api.deliveries import Changed, DeadLetters, Deliveries, LettersQuery, Overview, Story
from parley.api.events import EventPage, Events, EventsQuery
from parley.api.health import Vitals
from parley.api.inbox import Inbox, ReadQuery, SearchQuery
from parley.api.legacy import Legacy
from parley.api.mock import Mock
from parley.api.operation import Operation
from parley.api.reads import Reads
from parley.api.schemas import (
    Accepted,
    ConversationsQuery,
    Health,
    LegacyEmail,
    LegacyMessages,
    LegacySent,
    LegacySms,
    Listed,
    MockConfig,
    MockInbound,
    PageQuery,
    Readiness,
    SendAny,
    SendEmail,
    SendSms,
    SinceQuery,
)
from parley.api.sends import Sends
from parley.api.webhooks import Webhooks
from parley.conversations.read import Conversation
from parley.conversations.search import Found
from parley.messages.read import Message
from parley.providers.generic import EmailWebhook, SmsWebhook


class _MessageId(Convertor[str]):
    """What can be the id of a message: of the addresses beside it, as /api/messages/sms, none can."""

    regex = "[0-9a-fA-F-]{36}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("message", _MessageId())


@dataclass(frozen=True)
class Resources:
    """What the routes call."""

    sends: Sends
    webhooks: Webhooks
    reads: Reads
    deliveries: Deliveries
    inbox: Inbox
    events: Events
    vitals: Vitals
    legacy: Legacy
    mock: Mock | None
    health_path: str


def operations(at: Resources) -> list[Operation]:
    """All operations; the busiest first, since the router looks from the top."""
    return [
        *_messages(at), *_deliveries(at), *_inbox(at), *_conversations(at), *_vitals(at), *_mock(at), *_legacy(at),
    ]  # fmt: skip


def _messages(at: Resources) -> list[Operation]:
    sends, hooks = at.sends, at.webhooks
    return [
        Operation(method="POST", path="/api/webhooks/sms", call=hooks.sms, tag="Receive",
                  summary="Take in an SMS or MMS from a provider", limited=False,
                  body=SmsWebhook, decodes=True, answer=Accepted, status=202, errors=(503,)),
        Operation(method="POST", path="/api/webhooks/email", call=hooks.email, tag="Receive",
                  summary="Take in an email from a provider", limited=False,
                  body=EmailWebhook, decodes=True, answer=Accepted, status=202, errors=(503,)),
        _signed("twilio", hooks.twilio, "Take in a message or a status from Twilio"),
        _signed("sendgrid/events", hooks.sendgrid, "Take in SendGrid's Event Webhook"),
        _signed("sendgrid/inbound", hooks.sendgrid, "Take in SendGrid's Inbound Parse; `token` stands in its address"),
        _signed("telnyx", hooks.telnyx, "Take in a message or a status from Telnyx"),
        Operation(method="POST", path="/api/messages/sms", call=sends.sms, tag="Send",
                  summary="Send an SMS or MMS", body=SendSms, answer=Accepted, status=202, errors=(409, 503)),
        Operation(method="POST", path="/api/messages/email", call=sends.email, tag="Send",
                  summary="Send an email", body=SendEmail, answer=Accepted, status=202, errors=(409, 503)),
        Operation(method="POST", path="/api/messages/send", call=sends.any, tag="Send", invalid=422,
                  summary="Send over any channel", body=SendAny, answer=Accepted, status=202, errors=(409, 503)),
    ]  # fmt: skip


def _deliveries(at: Resources) -> list[Operation]:
    to = at.deliveries
    return [
        Operation(method="GET", path="/api/messages/{id:message}", call=to.story, tag="Read",
                  summary="A message with its delivery history", answer=Story, errors=(404, 503)),
        Operation(method="POST", path="/api/messages/{id:message}/retry", call=to.retry, tag="Deliver",
                  summary="Have a failed message tried again", answer=Changed, errors=(404, 409, 503)),
        Operation(method="POST", path="/api/messages/{id:message}/cancel", call=to.cancel, tag="Deliver",
                  summary="Take a message out of the queue", answer=Changed, errors=(404, 409, 503)),
        Operation(method="GET", path="/api/dead-letters", call=to.letters, tag="Deliver",
                  summary="The messages that were given up", query=LettersQuery, answer=DeadLetters, errors=(503,)),
        Operation(method="GET", path="/api/providers", call=to.overview, tag="Deliver",
                  summary="Providers, their breakers, the queues and the workers", answer=Overview, errors=(503,)),
    ]  # fmt: skip


def _signed(path: str, call: Callable[..., Awaitable[Any]], summary: str) -> Operation:
    """A webhook in a vendor's own format, believed for its signature."""
    return Operation(method="POST", path=f"/api/webhooks/{path}", call=call, tag="Receive", summary=summary,
                     limited=False, any_accept=True, answer=None,
                     errors=(400, 401, 404, 408, 413, 503))  # fmt: skip


def _conversations(at: Resources) -> list[Operation]:
    reads = at.reads
    return [
        Operation(method="GET", path="/api/conversations", call=reads.conversations, tag="Read",
                  summary="The conversations, the liveliest first",
                  query=ConversationsQuery, answer=Listed[Conversation], errors=(503,)),
        Operation(method="GET", path="/api/conversations/{id:path}/messages", call=reads.thread, tag="Read",
                  summary="A conversation's messages, the oldest first",
                  query=PageQuery, answer=Listed[Message], errors=(404, 503)),
        Operation(method="GET", path="/api/conversations/{id:path}", call=reads.conversation, tag="Read",
                  summary="A conversation by its number, UUID or key", answer=Conversation, errors=(404, 503)),
    ]  # fmt: skip


def _inbox(at: Resources) -> list[Operation]:
    inbox, on = at.inbox, "/api/conversations/{id:path}"
    return [
        Operation(method="GET", path="/api/search", call=inbox.search, tag="Read",
                  summary="Find conversations by name, address, number and words",
                  query=SearchQuery, answer=Listed[Found], errors=(503,)),
        Operation(method="GET", path="/api/events", call=at.events.read, tag="Read", any_accept=True,
                  summary="What happened, as a page or, for text/event-stream, as it happens",
                  query=EventsQuery, answer=EventPage, errors=(406, 503)),
        Operation(method="POST", path=f"{on}/read", call=inbox.mark_read, tag="Inbox",
                  summary="Mark a conversation as read, up to a message",
                  query=ReadQuery, answer=Conversation, errors=(404, 503)),
        Operation(method="POST", path=f"{on}/unread", call=inbox.mark_unread, tag="Inbox",
                  summary="Mark a conversation as unread", answer=Conversation, errors=(404, 503)),
        Operation(method="POST", path=f"{on}/close", call=inbox.close, tag="Inbox",
                  summary="Close a conversation until the other side writes again",
                  answer=Conversation, errors=(404, 503)),
        Operation(method="POST", path=f"{on}/reopen", call=inbox.reopen, tag="Inbox",
                  summary="Open a closed conversation", answer=Conversation, errors=(404, 503)),
    ]  # fmt: skip


def _vitals(at: Resources) -> list[Operation]:
    vitals = at.vitals
    paths = dict.fromkeys((at.health_path, "/healthz", "/health"))
    return [
        *(
            Operation(method="GET", path=path, call=vitals.health, tag="Operate", limited=False,
                      summary="The process is up", answer=Health)
            for path in paths
        ),
        Operation(method="GET", path="/readyz", call=vitals.ready, tag="Operate", limited=False,
                  summary="The service can do its work", answer=Readiness, errors=(503,)),
        Operation(method="GET", path="/metrics", call=vitals.metrics, tag="Operate", limited=False, any_accept=True,
                  summary="Counters, as flat JSON or as Prometheus text", answer=dict),
    ]  # fmt: skip


def _mock(at: Resources) -> list[Operation]:
    if at.mock is None:
        return []
    mock = at.mock
    return [
        Operation(method="POST", path="/api/provider/mock/inbound", call=mock.inbound, tag="Simulate",
                  summary="Have a simulated provider deliver a message",
                  body=MockInbound, answer=Accepted, status=202, errors=(503,)),
        Operation(method="GET", path="/api/provider/mock/config", call=mock.config, tag="Simulate",
                  summary="The simulators' faults", answer=MockConfig, errors=(503,)),
        Operation(method="PUT", path="/api/provider/mock/config", call=mock.configure, tag="Simulate",
                  summary="Change the simulators' faults", body=MockConfig, answer=MockConfig, errors=(503,)),
    ]  # fmt: skip


def _legacy(at: Resources) -> list[Operation]:
    legacy = at.legacy
    return [
        Operation(method="POST", path="/api/send_message", call=legacy.send_message, tag="Earlier addresses",
                  summary="Send an SMS", body=LegacySms, answer=LegacySent, errors=(409, 503), deprecated=True),
        Operation(method="POST", path="/api/send_email", call=legacy.send_email, tag="Earlier addresses",
                  summary="Send an email", body=LegacyEmail, answer=LegacySent, errors=(409, 503), deprecated=True),
        Operation(method="GET", path="/api/conversation/{id}/messages", call=legacy.messages,
                  tag="Earlier addresses", summary="A conversation's latest messages",
                  answer=LegacyMessages, errors=(503,), deprecated=True),
        Operation(method="GET", path="/api/conversation/{id}/new_messages", call=legacy.new_messages,
                  tag="Earlier addresses", summary="What came in after a moment",
                  query=SinceQuery, answer=LegacyMessages, errors=(503,), deprecated=True),
    ]  # fmt: skip
