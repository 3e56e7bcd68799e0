"""The inbox: the list, a conversation beside it, and the parts of both that a live page fetches again."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from parley.conversations import read as conversations
from parley.conversations import state
from parley.conversations.search import Search
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.page import Window
from parley.db.pool import Database
from parley.feed import read as feed
from parley.web import reading
from parley.web.asked import Asked
from parley.web.listing import Listing, row
from parley.web.render import Reader, Renderer

_ROWS = 30
_MESSAGES = 50
_PREVIEW = 120
_SNIPPET = 1
_MOST_CHANGED = 100
_NUMBER = re.compile(r"[0-9]{1,18}")


class Inbox:
    """GET /, /c/{id} and their parts"""

    def __init__(self, db: Database, renderer: Renderer, search: Search, curl: dict[str, str]) -> None:
        self._db = db
        self._renderer = renderer
        self._search = search
        self._curl = curl

    async def index(self, request: Request) -> Response:
        """The list alone, or on a wide screen beside an empty place."""
        return await self._page(request, {"conversation": None, "current": ""})

    async def conversation(self, request: Request) -> Response:
        """The list and a conversation."""
        return await self._page(request, await reading.pane(self._db, request, request.path_params["id"]))

    async def again(self, request: Request, reference: str, draft: dict[str, Any], wrong: str) -> Response:
        """A conversation whose box holds what could not be sent, and why."""
        shown = await reading.pane(self._db, request, reference)
        changed = {"draft": draft, "wrong": wrong, "channel": draft["channel"]}
        return await self._page(request, shown | changed, status=400)

    async def _page(self, request: Request, shown: dict[str, Any], status: int = 200) -> Response:
        listing = await self._listing(Asked.read(request.query_params))
        return self._renderer.page(request, "inbox.html", status=status, **shown, **listing)

    async def pane(self, request: Request) -> Response:
        """A conversation, to be put beside the list that is there already."""
        shown = await reading.pane(self._db, request, request.path_params["id"])
        return self._renderer.page(request, "_pane.html", asked=Asked.read(request.query_params), **shown)

    async def head(self, request: Request) -> Response:
        """The head of a conversation, whose state somebody changed."""
        shown = await reading.head(self._db, request.path_params["id"])
        return self._renderer.page(request, "_head.html", asked=Asked.read(request.query_params), **shown)

    async def nothing(self, request: Request) -> Response:
        """What stands beside the list while no conversation is open."""
        return self._renderer.page(request, "_nothing.html")

    async def list_alone(self, request: Request) -> Response:
        """The list, for another search or filter."""
        listing = await self._listing(Asked.read(request.query_params))
        current = request.query_params.get("current", "")
        return self._renderer.page(request, "_list.html", current=current, **listing)

    async def rows(self, request: Request) -> Response:
        """More rows of the list, or those that changed."""
        asked = Asked.read(request.query_params)
        changed = [
            int(id) for id in request.query_params.getlist("id")[:_MOST_CHANGED] if _NUMBER.fullmatch(id)
        ]
        listing = await (self._changed(asked, changed) if changed else self._listing(asked))
        current = request.query_params.get("current", "")
        return self._renderer.page(request, "_rows.html", current=current, **listing)

    async def _listing(self, asked: Asked) -> dict[str, Any]:
        # Read before the rows: what happens meanwhile comes with the stream, and is nothing new.
        position = await feed.newest(self._db, DEFAULT_ACCOUNT)
        listing = await (self._found(asked) if asked.q else self._latest(asked))
        return {
            "here": "inbox",
            "position": str(position),
            "asked": asked,
            "listing": listing,
            "curl": self._curl,
        }

    async def _latest(self, asked: Asked) -> Listing:
        window = Window(_ROWS, cursor=asked.cursor or None)
        page = await conversations.latest(self._db, DEFAULT_ACCOUNT, window, _PREVIEW, asked.filter)
        any_at_all = bool(page.items) or await conversations.any_at_all(self._db, DEFAULT_ACCOUNT)
        unread = await state.unread(self._db, DEFAULT_ACCOUNT)
        rows = [row(one) for one in page.items]
        return Listing(rows=rows, next=page.next_cursor, unread=unread, any=any_at_all)

    async def _found(self, asked: Asked) -> Listing:
        cursor = asked.cursor or None
        page = await self._search.find(DEFAULT_ACCOUNT, asked.q, asked.filter, _ROWS, cursor)
        unread = await state.unread(self._db, DEFAULT_ACCOUNT)
        rows = [row(found.conversation, hit=found.hit) for found in page.items]
        return Listing(rows=rows, next=page.next_cursor, unread=unread)

    async def _changed(self, asked: Asked, numbers: list[int]) -> dict[str, Any]:
        async with self._db.connection() as connection:
            found = await conversations.rows(connection, DEFAULT_ACCOUNT, numbers, _PREVIEW)
        unread = await state.unread(self._db, DEFAULT_ACCOUNT)
        listing = Listing(rows=[row(one, fits=asked.fits(one)) for one in found], unread=unread)
        return {"asked": asked, "listing": listing}

    async def messages(self, request: Request) -> Response:
        """Older messages, or those that changed, as rows of the thread."""
        number = await conversations.number_of(self._db, DEFAULT_ACCOUNT, request.path_params["id"])
        reader, asked = Reader.of(request), request.query_params
        if ids := asked.getlist("id")[:_MOST_CHANGED]:
            shown, older = await reading.changed(self._db, reader, number, ids), None
        else:
            shown, older = await reading.older(self._db, reader, number, asked.get("before") or None)
        context: dict[str, Any] = {"bubbles": shown, "older": older, "contact": reading.contact_of(shown)}
        return self._renderer.page(request, "_messages.html", id=number, reader=reader, **context)
