"""The addresses of an earlier service, translated onto the same functions; nothing is decided here."""

import re
from datetime import datetime

import msgspec
from starlette.requests import Request

from parley.api.operation import Answer
from parley.api.schemas import LegacyEmail, LegacyMessages, LegacySent, LegacySms, SinceQuery
from parley.api.sends import Sends
from parley.conversations.read import number_of
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Detail, Invalid, NotFound
from parley.db.pool import Database
from parley.messages import read as messages
from parley.messages.send import Order, as_utc

_MOST = 200


class Legacy:
    """/api/send_message, /api/send_email and /api/conversation/…"""

    def __init__(self, sends: Sends, db: Database, default_email_from: str, snippet_length: int) -> None:
        self._sends = sends
        self._db = db
        self._default_email_from = default_email_from
        self._snippet_length = snippet_length

    async def send_message(self, request: Request, body: LegacySms) -> Answer:
        """Send an SMS."""
        order = Order(
            account_id=DEFAULT_ACCOUNT,
            channel="sms",
            sender=body.sender,
            recipient=body.recipient,
            body=body.body,
        )
        accepted = await self._sends.accept(request, order)
        sent = LegacySent(success=True, message_id=accepted.value.message_id, status="queued", method="sms")
        return Answer(sent, accepted.headers)

    async def send_email(self, request: Request, body: LegacyEmail) -> Answer:
        """Send an email."""
        order = Order(
            account_id=DEFAULT_ACCOUNT,
            channel="email",
            sender=body.from_email or self._default_email_from,
            recipient=body.to_email,
            subject=body.subject,
            body=body.body,
        )
        try:
            accepted = await self._sends.accept(request, order)
        except Invalid as error:
            raise _in_callers_words(error) from None
        sent = LegacySent(success=True, email_id=accepted.value.message_id, status="queued", method="email")
        return Answer(sent, accepted.headers)

    async def messages(self, request: Request, id: str) -> LegacyMessages:
        """A conversation's latest messages, the oldest first; none for an id that nobody has."""
        number = await self._number(id)
        rows = await messages.latest(self._db, DEFAULT_ACCOUNT, number, _MOST, self._snippet_length)
        return LegacyMessages(rows)

    async def new_messages(self, request: Request, id: str, query: SinceQuery) -> LegacyMessages:
        """What came into a conversation after a moment, in the order of arrival."""
        number = await self._number(id)
        moment = _moment(query.since)
        rows = await messages.since(self._db, DEFAULT_ACCOUNT, number, moment, _MOST, self._snippet_length)
        return LegacyMessages(rows)

    async def _number(self, reference: str) -> int:
        try:
            return await number_of(self._db, DEFAULT_ACCOUNT, reference)
        except NotFound:
            return 0


def _moment(since: str) -> datetime:
    # A plus that nobody escaped arrives as a space.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", since)
    try:
        return as_utc(msgspec.convert(text, datetime))
    except (msgspec.ValidationError, OverflowError):
        raise Invalid.field("since", "is not a moment in RFC 3339") from None


def _in_callers_words(error: Invalid) -> Invalid:
    words = {"from": "from_email", "to": "to_email"}
    return Invalid.fields(
        Detail(words.get(wrong.field, wrong.field), wrong.message) for wrong in error.details
    )
