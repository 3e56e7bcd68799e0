"""A conversation as the page shows it: from its end, from further back, or around one message."""

from typing import Any

import msgspec
from starlette.requests import Request

from parley.conversations import read as conversations
from parley.conversations.read import Conversation
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import NotFound
from parley.core.ids import new_id
from parley.core.page import Window, encode_cursor
from parley.db.pool import Database
from parley.messages import read as messages
from parley.messages.read import Message
from parley.web.contact import Contact
from parley.web.listing import row
from parley.web.render import Reader
from parley.web.thread import Bubble, bubbles

_MESSAGES = 50
_AROUND = 25
_PREVIEW = 120
_SNIPPET = 1


class Stretch(msgspec.Struct, frozen=True):
    """A part of a conversation; `older` is the way further back, `more` says that newer ones are left out."""

    messages: list[Message]
    older: str | None
    more: bool


async def pane(db: Database, request: Request, reference: str) -> dict[str, Any]:
    """What the templates need of a conversation."""
    conversation = await conversations.find(db, DEFAULT_ACCOUNT, reference, _PREVIEW)
    asked = request.query_params
    stretch = await _stretch(db, int(conversation.id), asked.get("m", ""), asked.get("before") or None)
    shown, reader = row(conversation), Reader.of(request)
    email = "@" in conversation.contact
    return {
        "reader": reader,
        "current": shown.id,
        "conversation": shown,
        "contact": shown.contact,
        "own": shown.own,
        "bubbles": list(bubbles(stretch.messages, reader.now, reader.where)),
        "older": stretch.older,
        "newer": stretch.more,
        "channel": "email" if email else "sms",
        "channels": ["email"] if email else ["sms", "mms"],
        "key": new_id(),
        "draft": {"body": "", "subject": _answer_subject(stretch.messages), "attachments": []},
        "wrong": "",
    }


async def head(db: Database, reference: str) -> dict[str, Any]:
    """What the templates need of a conversation's head."""
    shown = row(await conversations.find(db, DEFAULT_ACCOUNT, reference, _PREVIEW))
    return {"conversation": shown, "contact": shown.contact, "own": shown.own}


async def answering(db: Database, reference: str) -> tuple[str, Conversation]:
    """The subject of an answer in a conversation, and the conversation."""
    conversation = await conversations.find(db, DEFAULT_ACCOUNT, reference, _PREVIEW)
    latest = await messages.latest(db, DEFAULT_ACCOUNT, int(conversation.id), _MESSAGES, _SNIPPET)
    return _answer_subject(latest), conversation


async def older(
    db: Database, reader: Reader, number: int, cursor: str | None
) -> tuple[list[Bubble], str | None]:
    """Messages before a place, and the way further back."""
    page = await messages.before(db, DEFAULT_ACCOUNT, number, cursor, _MESSAGES, _SNIPPET)
    return list(bubbles(page.items, reader.now, reader.where)), page.next_cursor


async def changed(db: Database, reader: Reader, number: int, ids: list[str]) -> list[Bubble]:
    """Messages that changed, and those whose look depends on them."""
    found = await messages.around(db, DEFAULT_ACCOUNT, number, ids, _SNIPPET)
    return list(bubbles(found, reader.now, reader.where, set(ids)))


def contact_of(shown: list[Bubble]) -> Contact:
    """Who writes in these bubbles."""
    return Contact(next((b.message.sender for b in shown if b.message.direction == "inbound"), ""))


async def _stretch(db: Database, number: int, wanted: str, cursor: str | None) -> Stretch:
    page = await messages.before(db, DEFAULT_ACCOUNT, number, cursor, _MESSAGES, _SNIPPET)
    if wanted and all(str(message.id) != wanted for message in page.items):
        return await _around(db, number, wanted) or Stretch(page.items, page.next_cursor, more=False)
    return Stretch(page.items, page.next_cursor, cursor is not None)


async def _around(db: Database, number: int, wanted: str) -> Stretch | None:
    try:
        message = await messages.one(db, DEFAULT_ACCOUNT, wanted, _SNIPPET)
    except NotFound:
        return None
    if message.conversation_id != str(number):
        return None
    place = encode_cursor(message.timestamp, message.id.bytes)
    before = await messages.before(db, DEFAULT_ACCOUNT, number, place, _AROUND, _SNIPPET)
    after = await messages.thread(db, DEFAULT_ACCOUNT, str(number), Window(_AROUND, cursor=place), _SNIPPET)
    return Stretch([*before.items, message, *after.items], before.next_cursor, after.next_cursor is not None)


def _answer_subject(thread: list[Message]) -> str:
    """The subject of an answer to the last mail that had one."""
    subject = next((message.subject for message in reversed(thread) if message.subject), "")
    return subject if not subject or subject.lower().startswith("re:") else f"Re: {subject}"
