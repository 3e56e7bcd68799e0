"""Twilio Programmable Messaging: SMS and MMS."""

import hmac
from base64 import b64encode
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha1, sha256
from itertools import chain
from typing import ClassVar
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import ClientSession

from parley.core.errors import Forged, Unreadable
from parley.core.message import Channel, Inbound, Outgoing, Status, StatusEvent
from parley.core.outcome import Accepted, Rejected, SendFailed, Throttled, Unavailable, Unknown
from parley.core.webhook import Webhook
from parley.providers import http
from parley.settings import Settings

# What a code means when Twilio answers it to a new message. Those of 300xx mostly come later, with a status.
CODES: dict[type[SendFailed], tuple[int, ...]] = {
    Throttled: (
        *(20429, 21611, 30001, 30017, 30022, 63018),
        *(30023, 30027, 63038),  # daily caps: they lift at midnight, not in seconds
        30003,  # the handset is off or out of reach: worth one slow retry, and no sign of illness at Twilio
    ),
    Unavailable: (
        *(20500, 20503, 30008, 30410),
        *(20003, 20404, 30002),  # our account or its credentials: no message is at fault
    ),
    Rejected: (
        *(21211, 21214, 21612, 21614, 30004, 30005, 30006),  # the recipient
        21610,  # the recipient opted out
        *(21219, 21608),  # a trial account may only reach verified numbers
        *(21602, 21603, 21604, 21617, 21620, 21623, 21656, 30007, 30011, 30019),  # the content
        11200,  # the media could not be fetched
        *(21212, 21601, 21606, 21703, 21704, 21705, 30018, 30024, 30032, 30034),  # the sender
        *(30025, 30026),  # 50 and 70 % of a daily cap: a warning that no message should ever be answered with
        30009,  # a segment of an inbound message is missing: no business of an outbound one
        *(35111, 35114, 35115, 35116, 35117, 35118),  # scheduling, which we do not use
        21408,  # the region is not enabled
    ),
}
_KINDS = {code: kind for kind, codes in CODES.items() for code in codes}
_SLOW = {30003: 900.0, 30023: 3600.0, 30027: 3600.0, 63038: 3600.0}

STATUSES: dict[str, Status | None] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "sent",  # some of several recipients have it: more than that is not known
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "canceled",
    "read": "read",
    "receiving": None,  # said of inbound messages only
    "received": None,
}

_PAGE_SIZE, _PAGES, _MOST_MEDIA = 100, 10, 100
_CLOCKS = timedelta(seconds=5)  # how far their clock and ours may differ; theirs also counts in whole seconds
_TRIAL = "Sent from your Twilio trial account - "


class _Created(msgspec.Struct):
    sid: str


class _Problem(msgspec.Struct):
    message: str
    code: int | None = None


class _Listed(msgspec.Struct):
    sid: str
    to: str
    date_created: str
    body: str | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    messaging_service_sid: str | None = None


class _Standing(msgspec.Struct):
    status: str
    error_code: int | None = None
    error_message: str | None = None


class _Page(msgspec.Struct):
    messages: list[_Listed]
    next_page_uri: str | None = None


class Twilio:
    """Speaks the Messages resource and its two kinds of webhook."""

    name: ClassVar[str] = "twilio"
    channels: ClassVar[frozenset[Channel]] = frozenset({"sms", "mms"})
    can_look_up: ClassVar[bool] = True
    can_report: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("twilio_account_sid", "twilio_auth_token")

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        self._settings = settings
        self._client = http.Client(session, settings.provider_timeout_secs)
        self._base = settings.twilio_base_url.rstrip("/")
        self._messages = f"/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json"
        pair = f"{settings.twilio_account_sid}:{settings.twilio_auth_token}".encode()
        self._headers = {
            "Authorization": f"Basic {b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    async def send(self, message: Outgoing) -> Accepted:
        """Create a message."""
        form = [("To", message.recipient), (_sender_field(message.sender), message.sender)]
        form += [("Body", message.body)] if message.body else []
        form += [("MediaUrl", url) for url in message.attachments]
        if callback := http.callback(self._settings, self.name, self._base, message.id):
            form.append(("StatusCallback", callback))
        answer = await self._ask("POST", self._messages, http.form(form).encode())
        created = http.decode(answer.body, _Created) if answer.status in (200, 201) else None
        if created is None:
            raise _refusal(answer)
        return Accepted(created.sid, answer.status)

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """Look through what went between the two addresses since then; that list does not show our id."""
        earliest = since - _CLOCKS
        # No filter by DateSent: a message that still waits in Twilio's queue has none, and would look lost.
        filters = {"To": message.recipient, "PageSize": str(_PAGE_SIZE)}
        if _sender_field(message.sender) == "From":
            filters["From"] = message.sender
        path = f"{self._messages}?{http.form(filters)}"
        for _ in range(_PAGES):
            page = await self._page(path)
            recent = [x for x in page.messages if (http.written(x.date_created) or earliest) >= earliest]
            for listed in recent:
                if listed.sid not in known and _same(listed, message):
                    return Accepted(listed.sid)
            if not page.next_page_uri or not recent:
                return None
            path = page.next_page_uri
        raise Unknown("too many messages between the two addresses to look through")

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """Fetch a message."""
        resource = f"{self._messages.removesuffix('.json')}/{quote(provider_message_id, safe='')}.json"
        answer = await self._ask("GET", resource)
        found = http.decode(answer.body, _Standing) if answer.status == 200 else None
        if found is None:
            return None
        return StatusEvent(
            status=STATUSES.get(found.status),
            vendor_status=found.status,
            provider_message_id=provider_message_id,
            code=str(found.error_code) if found.error_code else None,
            detail=found.error_message,
        )

    async def _page(self, path: str) -> _Page:
        if not path.startswith("/"):
            # Behind our base address, anything else could name another host and take the credentials there.
            raise Unknown("the list goes on at another address")
        try:
            answer = await self._ask("GET", path)
        except SendFailed as error:
            raise Unknown(f"look-up: {error.detail}") from None
        page = http.decode(answer.body, _Page) if answer.status == 200 else None
        if page is None:
            raise Unknown(f"look-up: status {answer.status}", http_status=answer.status)
        return page

    async def _ask(self, method: str, path: str, data: bytes | None = None) -> http.Answer:
        return await self._client.ask(method, self._base + path, self._headers, data)

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """Check X-Twilio-Signature; it carries no time, so only the ids within make a replay harmless."""
        given = webhook.headers.get("x-twilio-signature", "").encode()
        key = self._settings.twilio_auth_token.encode()
        for text in _signed_texts(webhook):
            if hmac.compare_digest(given, b64encode(hmac.digest(key, text.encode(), sha1))):
                return
        raise Forged("the signature of Twilio does not hold")

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """Read a status callback, which has a MessageStatus, or else an inbound message."""
        pairs = _pairs(webhook.body) or http.pairs(webhook.url.partition("?")[2])
        fields = dict(reversed(pairs))  # of a repeated name, the first
        if fields.get("SmsStatus") == "received" or ("Body" in fields and "MessageStatus" not in fields):
            return (_inbound(fields),)
        if word := fields.get("MessageStatus") or fields.get("SmsStatus"):
            return (_status(fields, word, webhook),)
        raise Unreadable("neither a message nor a status")


def _sender_field(sender: str) -> str:
    return "MessagingServiceSid" if sender.startswith("MG") and len(sender) == 34 else "From"


def _refusal(answer: http.Answer) -> SendFailed:
    problem = http.decode(answer.body, _Problem)
    if problem is None or answer.status < 400:
        return http.refusal(answer, None)
    code = problem.code or 0
    return http.refusal(
        answer, problem.message, code=str(code) if code else None, kind=_KINDS.get(code), wait=_SLOW.get(code)
    )


def _same(listed: _Listed, message: Outgoing) -> bool:
    sender = listed.sender if _sender_field(message.sender) == "From" else listed.messaging_service_sid
    body = (listed.body or "").removeprefix(_TRIAL)
    return (sender, listed.to) == (message.sender, message.recipient) and body.split() == message.body.split()


@lru_cache(maxsize=16)  # a form is read twice: to verify it, and to understand it
def _pairs(form: bytes) -> list[tuple[str, str]]:
    return http.pairs(form.decode("utf-8", "replace"))


def _signed_texts(webhook: Webhook) -> Iterator[str]:
    """All that Twilio may have signed: its own parts disagree on the port and on repeated keys. The likely one first."""
    pairs = _pairs(webhook.body)
    if digest := http.query(webhook, "bodySHA256"):
        # A body that is no form is signed by its hash, which stands in the signed address.
        if not hmac.compare_digest(digest.encode(), sha256(webhook.body).hexdigest().encode()):
            return
        pairs = []
    text = "".join(chain.from_iterable(sorted(set(pairs))))
    for url in _addresses(webhook.url):
        yield url + text
        yield from (url + other for other in _joined(pairs))


def _joined(pairs: list[tuple[str, str]]) -> Iterator[str]:
    """The other way to read repeated keys, where there are any: a key once, with all its values."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    if len(values) < len(pairs):
        yield "".join(name + "".join(values[name]) for name in sorted(values))


def _addresses(url: str) -> Iterator[str]:
    yield url
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or (443 if parts.scheme == "https" else 80)
    yield parts._replace(netloc=host).geturl()
    yield parts._replace(netloc=f"{host}:{port}").geturl()


def _inbound(fields: dict[str, str]) -> Inbound:
    if not fields.get("From") or not fields.get("To"):
        raise Unreadable("a message without From or To")
    media = [fields[name] for n in range(_MOST_MEDIA) if (name := f"MediaUrl{n}") in fields]
    return Inbound(
        channel="mms" if media else "sms",
        sender=fields["From"],
        recipient=fields["To"],
        body=fields.get("Body", ""),
        provider_message_id=fields.get("MessageSid") or fields.get("SmsSid"),
        attachments=tuple(media),
    )


def _status(fields: dict[str, str], word: str, webhook: Webhook) -> StatusEvent:
    return StatusEvent(
        status=STATUSES.get(word.lower()),
        vendor_status=word,
        provider_message_id=fields.get("MessageSid") or fields.get("SmsSid"),
        message_id=http.our_id(http.query(webhook, "message_id")),
        event_id=webhook.headers.get("i-twilio-idempotency-token"),
        code=fields.get("ErrorCode") or None,
        detail=fields.get("ErrorMessage") or None,
    )
