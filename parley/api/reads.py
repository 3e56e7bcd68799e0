"""The read routes: conversations and their messages."""

from typing import TypeVar

from starlette.requests import Request

from parley.api.schemas import ConversationsQuery, Listed, PageMeta, PageQuery
from parley.conversations import read as conversations
from parley.conversations.read import Conversation
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.page import Page
from parley.db.pool import Database
from parley.messages import read as messages
from parley.messages.read import Message

T = TypeVar("T")


class Reads:
    """GET /api/conversations…"""

    def __init__(self, db: Database, snippet_length: int) -> None:
        self._db = db
        self._snippet_length = snippet_length

    async def conversations(self, request: Request, query: ConversationsQuery) -> Listed[Conversation]:
        """The conversations, the liveliest first."""
        page = await conversations.latest(
            self._db, DEFAULT_ACCOUNT, query.window, self._snippet_length, query.only
        )
        return _listed(page, query)

    async def conversation(self, request: Request, id: str) -> Conversation:
        """One conversation by its number, UUID or key."""
        return await conversations.find(self._db, DEFAULT_ACCOUNT, id, self._snippet_length)

    async def thread(self, request: Request, id: str, query: PageQuery) -> Listed[Message]:
        """A conversation's messages, the oldest first."""
        page = await messages.thread(self._db, DEFAULT_ACCOUNT, id, query.window, self._snippet_length)
        return _listed(page, query)


def _listed(page: "Page[T]", query: PageQuery) -> "Listed[T]":
    return Listed(page.items, PageMeta(query.page, query.window.size, page.total, page.next_cursor))
