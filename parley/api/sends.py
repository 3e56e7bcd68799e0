"""The send routes: an order becomes a draft, the draft is stored, and only then the caller hears of it."""

from datetime import UTC, datetime

from starlette.requests import Request

from parley.api.limits import Limits
from parley.api.operation import Answer
from parley.api.schemas import Accepted, SendAny, SendEmail, SendSms
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Conflict, Invalid
from parley.core.message import Draft, Stored
from parley.db.batcher import Batcher
from parley.messages.send import Order, Rules, compose

_PRIORITY = {"high": 0, "normal": 1}
_LONGEST_KEY = 255


class Sends:
    """POST /api/messages/…"""

    def __init__(self, batcher: Batcher[Draft, Stored], rules: Rules, limits: Limits) -> None:
        self._batcher = batcher
        self._rules = rules
        self._limits = limits

    async def sms(self, request: Request, body: SendSms) -> Answer:
        """Accept an SMS or MMS."""
        if body.type.strip().lower() == "email":
            raise Invalid.field("type", "is 'email', but takes sms or mms")
        return await self.accept(request, _sms_order(body))

    async def email(self, request: Request, body: SendEmail) -> Answer:
        """Accept an email."""
        return await self.accept(request, _email_order(body, "email"))

    async def any(self, request: Request, body: SendAny) -> Answer:
        """Accept a message of any channel."""
        return await self.accept(request, _email_order(body, body.type))

    async def accept(self, request: Request, order: Order, key: str | None = None) -> Answer:
        """Store an order once for its Idempotency-Key; a repetition gets the first answer again."""
        key = _idempotency_key(key if key is not None else request.headers.get("idempotency-key"))
        draft = compose(order, self._rules, datetime.now(UTC), key)
        await self._limits.admit_sender(draft.from_address)
        stored = await self._batcher.put(draft)
        if stored.duplicate and stored.request_hash != draft.request_hash:
            raise Conflict("this Idempotency-Key came with another body before")
        headers = {"Idempotent-Replayed": "true"} if stored.duplicate else {}
        return Answer(_first_answer(stored), headers)


def _first_answer(stored: Stored) -> Accepted:
    return Accepted(
        message_id=stored.message_id,
        conversation_id=str(stored.conversation_id),
        provider_message_id=None,
    )


def _idempotency_key(key: str | None) -> str | None:
    if key is not None and not (0 < len(key.strip()) <= _LONGEST_KEY and key.isprintable()):
        raise Invalid.field("Idempotency-Key", f"must be 1 to {_LONGEST_KEY} printable characters")
    return key


def _sms_order(body: SendSms) -> Order:
    return Order(
        account_id=DEFAULT_ACCOUNT,
        channel=body.type,
        sender=body.sender,
        recipient=body.recipient,
        body=body.body or "",
        attachments=tuple(body.attachments or ()),
        timestamp=body.timestamp,
        priority=_PRIORITY[body.priority],
    )


def _email_order(body: SendEmail | SendAny, channel: str) -> Order:
    return Order(
        account_id=DEFAULT_ACCOUNT,
        channel=channel,
        sender=body.sender,
        recipient=body.recipient,
        body=body.body or "",
        subject=body.subject,
        cc=tuple(body.cc or ()),
        bcc=tuple(body.bcc or ()),
        reply_to=body.reply_to,
        attachments=tuple(body.attachments or ()),
        timestamp=body.timestamp,
        priority=_PRIORITY[body.priority],
    )
