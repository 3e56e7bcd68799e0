"""What providers bring: nothing is bounced for being odd, it only becomes a draft of an inbound message."""

from datetime import datetime

from parley.core.address import lenient
from parley.core.errors import Detail, Unreadable
from parley.core.ids import new_id
from parley.core.message import Draft, Inbound
from parley.core.text import indexable, storable
from parley.core.thread import thread
from parley.messages.send import Rules, as_utc


def take(
    inbound: Inbound, account_id: int, provider: str, rules: Rules, now: datetime, raw: bytes | None = None
) -> Draft:
    """Make an inbound message a draft; raises `Unreadable` only if it cannot be placed anywhere."""
    ends = {"from": inbound.sender, "to": inbound.recipient}
    if blank := tuple(Detail(field, "must not be blank") for field, text in ends.items() if not text.strip()):
        raise Unreadable("from and to must not be blank", blank)
    sender = lenient(storable(inbound.sender), inbound.channel, rules.region)
    recipient = lenient(storable(inbound.recipient), inbound.channel, rules.region)
    place = thread(sender.group, recipient.group, inbound.channel, rules.grouping)
    return Draft(
        account_id=account_id,
        id=new_id(),
        direction="inbound",
        channel=inbound.channel,
        thread_key=place.key,
        conversation_uuid=place.uuid,
        conversation_channel=place.channel,
        participants=place.participants,
        from_address=sender.value,
        to_address=recipient.value,
        from_raw=_differing(inbound.sender, sender.value),
        to_raw=_differing(inbound.recipient, recipient.value),
        body=storable(inbound.body),
        status="received",
        occurred_at=_moment(inbound.occurred_at, now),
        segments=1,
        priority=1,
        subject=storable(inbound.subject) if inbound.subject else None,
        cc=tuple(storable(mailbox) for mailbox in inbound.cc),
        reply_to=storable(inbound.reply_to) if inbound.reply_to else None,
        attachments=tuple(storable(url) for url in inbound.attachments),
        provider=provider,
        provider_message_id=indexable(inbound.provider_message_id),
        source=provider,
        raw=raw,
    )


def _moment(occurred_at: datetime | None, now: datetime) -> datetime:
    try:
        return as_utc(occurred_at) if occurred_at is not None else now
    except OverflowError:  # a date at the very end of the calendar, shifted over it by its offset
        return now


def _differing(raw: str, value: str) -> str | None:
    return None if raw == value else storable(raw)
