"""The list of conversations, as its rows show them."""

from datetime import datetime

import msgspec

from parley.conversations.read import Conversation, LastMessage
from parley.conversations.search import Hit
from parley.core.words import Fragment
from parley.web.contact import Contact
from parley.web.thread import micros


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation in one row; `key` orders rows, the greatest first."""

    id: str
    key: str
    contact: Contact
    own: Contact
    at: datetime
    at_message: str
    """The message in which the words stand that were searched for."""
    channels: list[str]
    preview: list[Fragment]
    outbound: bool
    unread: int
    closed: bool
    failed: bool
    fits: bool
    """Whether it belongs into the list that was asked for."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list, and what there is besides."""

    rows: list[Row]
    next: str | None = None
    unread: int = 0
    any: bool = True

    @property
    def owns(self) -> list[str]:
        """Our own addresses, as far as these rows know them, the most used first."""
        used = [row.own.address for row in self.rows]
        return sorted(set(used), key=lambda address: (-used.count(address), address))


def row(conversation: Conversation, *, fits: bool = True, hit: Hit | None = None) -> Row:
    """Make the row of a conversation; what was found in it stands in the place of its last words."""
    last = conversation.last_message
    return Row(
        id=conversation.id,
        key=f"{micros(conversation.last_activity_at)}-{int(conversation.id):019d}",
        contact=Contact(conversation.contact, conversation.name or ""),
        own=Contact(conversation.own),
        at=hit.timestamp if hit else conversation.last_activity_at,
        channels=sorted(conversation.channels, key=("sms", "mms", "email").index),
        at_message=str(hit.message_id) if hit else "",
        preview=_excerpt(hit) if hit else [Fragment(last.snippet)] if last else [],
        outbound=_is_ours(hit or last),
        unread=conversation.unread_count,
        closed=conversation.state == "closed",
        failed=conversation.failed,
        fits=fits,
    )


def _excerpt(hit: Hit) -> list[Fragment]:
    """The words around what was found, from the subject if it was found there."""
    in_subject = any(piece.hit for piece in hit.subject)
    return [*hit.subject, Fragment(" · "), *hit.excerpt] if in_subject else hit.excerpt


def _is_ours(message: Hit | LastMessage | None) -> bool:
    return message is not None and message.direction == "outbound"
