"""Telnyx's message endpoints."""

from collections import OrderedDict
from hashlib import sha256
from uuid import uuid4

from parley.core.segments import measure
from parley.simulators.ledger import Entry
from parley.simulators.postbox import Parcel
from parley.simulators.telnyx import resource
from parley.simulators.telnyx.errors import NOT_FOUND, UNAUTHORIZED, Refused
from parley.simulators.telnyx.rules import Order, blocked, check, failure, idempotency_key
from parley.simulators.telnyx.webhooks import StatusEvent
from parley.simulators.wire import Answer, Call, as_json, query_value, same
from parley.simulators.world import World

_REMEMBERED_KEYS = 100_000


class Telnyx:
    """The API of one account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = f"Bearer {world.config.credentials.telnyx_api_key}"
        self._replays: OrderedDict[bytes, tuple[bytes, Answer]] = OrderedDict()
        world.resets.append(self._replays.clear)

    def create(self, call: Call) -> Answer:
        """Take a message; a repeated Idempotency-Key gets the first success again."""
        if not same(call.header(b"authorization"), self._key):
            return UNAUTHORIZED
        try:
            key = idempotency_key(call.header(b"idempotency-key"))
            fingerprint = sha256(call.body).digest()
            if key is not None and (known := self._replays.get(key)):
                return _replay(known, fingerprint)
            answer = self._take(*check(call.body))
        except Refused as refused:
            return refused.answer
        if key is not None and answer.entry is not None:
            self._remember(key, fingerprint, answer)
        return answer

    def fetch(self, call: Call) -> Answer:
        """Show one message."""
        if not same(call.header(b"authorization"), self._key):
            return UNAUTHORIZED
        entry = self._world.ledger.get(call.part("id"))
        if entry is None or entry.vendor != "telnyx":
            return NOT_FOUND
        if entry.direction == "inbound":
            return as_json(200, {"data": resource.inbound(entry)})
        return as_json(200, {"data": resource.message(entry, self._world.config, self._world.now())})

    def _take(self, order: Order, recipient: str) -> Answer:
        sender = order.sender or self._world.config.service_sender
        if self._world.optouts.blocked("telnyx", recipient, sender):
            return blocked(sender, recipient)
        entry = _entry(order, sender, recipient, self._world.now())
        self._world.ledger.add(entry)
        if order.webhook_url:
            self._call_back(entry, order.webhook_url, order.webhook_failover_url)
        shown = resource.message(entry, self._world.config, entry.accepted_at)
        return as_json(200, {"data": shown}, entry)

    def _remember(self, key: bytes, fingerprint: bytes, answer: Answer) -> None:
        self._replays[key] = (fingerprint, answer)
        if len(self._replays) > _REMEMBERED_KEYS:
            self._replays.popitem(last=False)

    def _call_back(self, entry: Entry, url: str, failover: str | None) -> None:
        config = self._world.config
        moments = {"message.sent": config.sent_ms / 1000, "message.finalized": config.delivered_ms / 1000}
        parcels = [
            Parcel(url, StatusEvent(config, entry, name), config.callback_attempts, fallback=failover)
            for name in moments
        ]
        self._world.call_back("telnyx", list(moments.values()), parcels)


def _entry(order: Order, sender: str, recipient: str, now: float) -> Entry:
    return Entry(
        vendor="telnyx",
        id=str(uuid4()),
        our_id=query_value(order.webhook_url, "message_id") if order.webhook_url else None,
        sender=sender,
        recipient=recipient,
        body=order.text or "",
        accepted_at=now,
        segments=1 if order.media_urls else measure(order.text or "").count,
        failure=failure(recipient),
        extra=resource.Extra(
            media=tuple(order.media_urls),
            subject=order.subject,
            webhook_url=order.webhook_url,
            webhook_failover_url=order.webhook_failover_url,
        ),
    )


def _replay(known: tuple[bytes, Answer], fingerprint: bytes) -> Answer:
    first, answer = known
    if first == fingerprint:
        return answer
    detail = "The Idempotency-Key was used before with another request."
    return Refused(422, "10015", "Bad Request", detail).answer
