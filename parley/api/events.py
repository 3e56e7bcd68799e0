"""The change feed over HTTP: a JSON page, or a stream of server-sent events that goes on where it broke off."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from parley import metrics
from parley.api.negotiate import JSON, accepts, prefers
from parley.api.operation import Answer
from parley.api.problems import HttpProblem
from parley.core.account import DEFAULT_ACCOUNT
from parley.db.pool import Database
from parley.feed.hub import Hub
from parley.feed.read import BEGINNING, Event, Position, after, is_lost, newest

EVENT_STREAM = "text/event-stream"
_RETRY_MILLISECONDS = 2000
_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Accel-Buffering": "no",  # nginx would hold a stream back
}

At = Annotated[
    str,
    Meta(description="The id of the last event seen, or `next` of the page before", examples=["742-1093"]),
]


class EventsQuery(msgspec.Struct, kw_only=True):
    """From where on: a page without `after` begins with the oldest event there is, a stream with the next one."""

    after: At | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class EventPage(msgspec.Struct):
    """Some events in their order; ask again with `next`, at once after a full page."""

    items: list[Event]
    next: At
    reset: Annotated[
        bool, Meta(description="What came after that position is not known any more: look at everything anew")
    ] = False


class EventStream(StreamingResponse):
    """A response that has no end; it is counted as a stream, and not as a request that took so long."""

    media_type = EVENT_STREAM

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        super().__init__(pieces, headers=_HEADERS)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["stream"] = True
        with metrics.STREAMS.track_inprogress():
            async with aclosing(self._pieces):
                await super().__call__(scope, receive, send)


class Events:
    """GET /api/events"""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub

    async def read(self, request: Request, query: EventsQuery) -> Answer | Response:
        """What happened after an event, as the client likes it."""
        accept = request.headers.get("accept", "")
        if not accepts(accept, JSON) and not accepts(accept, EVENT_STREAM):
            raise HttpProblem(406, f"this address answers {JSON} and {EVENT_STREAM}")
        if prefers(accept, JSON, EVENT_STREAM) == EVENT_STREAM:
            return await self._stream(request, query)
        return Answer(await self._page(query), _HEADERS)

    async def _page(self, query: EventsQuery) -> EventPage:
        position = Position.parse(query.after) if query.after is not None else BEGINNING
        if await is_lost(self._db, DEFAULT_ACCOUNT, position):
            return EventPage([], str(await newest(self._db, DEFAULT_ACCOUNT)), reset=True)
        events = await after(self._db, DEFAULT_ACCOUNT, position, query.limit)
        return EventPage(events, events[-1].id if events else str(position))

    async def _stream(self, request: Request, query: EventsQuery) -> Response:
        # A browser that comes back repeats its first address and adds the event that it saw last.
        seen = request.headers.get("last-event-id") or query.after
        lost, position = False, Position.parse(seen) if seen else await newest(self._db, DEFAULT_ACCOUNT)
        if seen and await is_lost(self._db, DEFAULT_ACCOUNT, position):
            lost, position = True, await newest(self._db, DEFAULT_ACCOUNT)
        if request.method == "HEAD":
            return Response(headers=_HEADERS, media_type=EVENT_STREAM)
        return EventStream(_opened(self._hub.read(position), position, reset=lost))


async def _opened(
    pieces: AsyncGenerator[bytes, None], position: Position, *, reset: bool
) -> AsyncGenerator[bytes, None]:
    """Begin with the place to come back to, which a client must know before anything happens."""
    reason = b'event: reset\ndata: {"next":"%b"}\n' % str(position).encode() if reset else b""
    yield b"retry: %d\nid: %b\n%b\n" % (_RETRY_MILLISECONDS, str(position).encode(), reason)
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
