"""What people do in an inbox, for programs: find conversations, mark them as read, close and reopen them."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request

from parley.api.schemas import ChannelNames, Id, Listed, PageMeta, channels
from parley.conversations import read as conversations
from parley.conversations import state
from parley.conversations.read import Conversation, Filter, State
from parley.conversations.search import Found, Search
from parley.core.account import DEFAULT_ACCOUNT
from parley.db.bell import Bell
from parley.db.pool import Database


class SearchQuery(msgspec.Struct, kw_only=True):
    """What to look for; the last word may be only begun, and numbers may be parts of phone numbers."""

    q: Annotated[
        str,
        Meta(max_length=200, description='Words, "phrases", parts of numbers', examples=["invoice 555-12"]),
    ]
    channel: ChannelNames | None = None
    state: State | None = None
    per_page: Annotated[int, Meta(ge=0, le=100, description="0 means 50")] = 50
    cursor: Annotated[
        str, Meta(description="`meta.next_cursor` of the page before, which may be short and yet have a next one")
    ] | None = None  # fmt: skip


class ReadQuery(msgspec.Struct, kw_only=True):
    """How far somebody has read; without `through`, everything."""

    through: Annotated[Id, Meta(description="The last message that was seen")] | None = None


class Inbox:
    """GET /api/search; POST /api/conversations/{id}/read, …/unread, …/close and …/reopen"""

    def __init__(self, db: Database, bell: Bell, search: Search, snippet_length: int) -> None:
        self._db = db
        self._bell = bell
        self._search = search
        self._snippet_length = snippet_length

    async def search(self, request: Request, query: SearchQuery) -> Listed[Found]:
        """The conversations that are found, by name first, then by their messages."""
        only = Filter(query.state, channels(query.channel))
        size = query.per_page or 50
        page = await self._search.find(DEFAULT_ACCOUNT, query.q, only, size, query.cursor)
        return Listed(page.items, PageMeta(1, size, page.total, page.next_cursor))

    async def mark_read(self, request: Request, id: str, query: ReadQuery) -> Conversation:
        """Mark a conversation as read."""
        await state.mark_read(self._db, self._bell, DEFAULT_ACCOUNT, id, query.through)
        return await self._show(id)

    async def mark_unread(self, request: Request, id: str) -> Conversation:
        """Mark a conversation as unread."""
        await state.mark_unread(self._db, self._bell, DEFAULT_ACCOUNT, id)
        return await self._show(id)

    async def close(self, request: Request, id: str) -> Conversation:
        """Close a conversation until the other side writes again."""
        await state.close(self._db, self._bell, DEFAULT_ACCOUNT, id)
        return await self._show(id)

    async def reopen(self, request: Request, id: str) -> Conversation:
        """Open a closed conversation."""
        await state.reopen(self._db, self._bell, DEFAULT_ACCOUNT, id)
        return await self._show(id)

    async def _show(self, id: str) -> Conversation:
        return await conversations.find(self._db, DEFAULT_ACCOUNT, id, self._snippet_length)
