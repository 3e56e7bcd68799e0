"""The table of contents of the pages: every address that a person visits, and the parts of them that refresh."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from parley.api.deliveries import Deliveries
from parley.api.limits import Limits
from parley.api.mock import Mock
from parley.api.problems import headers_of, status_of
from parley.api.sends import Sends
from parley.conversations.search import Search
from parley.core.errors import ParleyError
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.web.acts import Acts
from parley.web.compose import Compose
from parley.web.curl import curls
from parley.web.inbox import Inbox
from parley.web.operations import Operations
from parley.web.reference import reference
from parley.web.render import Renderer
from parley.web.static import Static
from parley.web.story import Story

Page = Callable[[Request], Awaitable[Response]]

_TITLES = {
    400: "That did not make sense",
    403: "Not from here",
    404: "Nothing here",
    409: "Too late",
    429: "Too many at once",
    503: "One moment",
}


def routes(
    db: Database,
    bell: Bell,
    sends: Sends,
    deliveries: Deliveries,
    limits: Limits,
    search: Search,
    mock: Mock | None,
    *,
    url: str,
    providers: Sequence[str],
    max_body_bytes: int,
    document: dict[str, Any],
) -> list[BaseRoute]:
    """All pages."""
    static = Static()
    renderer = Renderer(static)
    inbox = Inbox(db, renderer, search, curls(url, simulated=mock is not None))
    compose = Compose(db, renderer, inbox, sends, limits, max_body_bytes)
    story = Story(db, renderer)
    acts = Acts(db, bell, deliveries, limits, max_body_bytes)

    operations = Operations(db, renderer, mock, providers, limits, max_body_bytes)
    described = reference(document)

    async def docs(request: Request) -> Response:
        return renderer.page(request, "docs.html", here="docs", reference=described)

    def page(path: str, call: Page, method: str = "GET") -> Route:
        return Route(path, _told(call, renderer), methods=[method])

    return [
        page("/", inbox.index),
        page("/list", inbox.list_alone),
        page("/rows", inbox.rows),
        page("/nothing", inbox.nothing),
        page("/c/{id}", inbox.conversation),
        page("/c/{id}/pane", inbox.pane),
        page("/c/{id}/head", inbox.head),
        page("/c/{id}/messages", inbox.messages),
        page("/c/{id}/state", acts.state, "POST"),
        page("/m/{id}", story.page),
        page("/m/{id}/body", story.body),
        page("/m/{id}/story", story.attempts),
        page("/m/{id}/retry", acts.retry, "POST"),
        page("/m/{id}/cancel", acts.cancel, "POST"),
        page("/new", compose.new),
        page("/send", compose.send, "POST"),
        page("/preview", compose.preview, "POST"),
        page("/operations", operations.page),
        page("/operations/figures", operations.figures),
        page("/operations/faults", operations.change_faults, "POST"),
        page("/docs", docs),
        Route("/static/{path:path}", static.serve),
    ]


def _told(call: Page, renderer: Renderer) -> Page:
    """Say what was refused as a page, where a program would get JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            return await call(request)
        except ParleyError as error:
            return _refusal(request, renderer, error)

    return endpoint


def _refusal(request: Request, renderer: Renderer, error: ParleyError) -> Response:
    status = status_of(error)
    title = _TITLES.get(status, "That did not work")
    said = {"title": title, "message": error.message, "here": "", "request_id": request.scope["request_id"]}
    return renderer.page(request, "error.html", status=status, headers=headers_of(error), **said)
