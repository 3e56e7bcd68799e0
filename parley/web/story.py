"""One message: a mail's text in its frame, and what became of it."""

from starlette.requests import Request
from starlette.responses import Response

from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import NotFound
from parley.db.pool import Database
from parley.delivery import history
from parley.messages import read as messages
from parley.web.contact import Contact
from parley.web.render import Reader, Renderer
from parley.web.thread import bubbles

_SNIPPET = 1


class Story:
    """GET /m/{id}, /m/{id}/body and /m/{id}/story"""

    def __init__(self, db: Database, renderer: Renderer) -> None:
        self._db = db
        self._renderer = renderer

    async def page(self, request: Request) -> Response:
        """A message by itself, with all that happened to it."""
        return await self._story(request, "message.html")

    async def attempts(self, request: Request) -> Response:
        """What happened to a message, to be opened below it."""
        return await self._story(request, "_story.html")

    async def body(self, request: Request) -> Response:
        """The text of a mail, for its frame."""
        message = await self._message(request)
        if message.channel != "email":
            raise NotFound("only emails have a body of their own")
        pictures = request.query_params.get("pictures") == "1"
        return self._renderer.mail(request, message.body, pictures=pictures)

    async def _message(self, request: Request) -> messages.Message:
        return await messages.one(self._db, DEFAULT_ACCOUNT, request.path_params["id"], _SNIPPET)

    async def _story(self, request: Request, template: str) -> Response:
        message = await self._message(request)
        reader = Reader.of(request)
        (bubble,) = bubbles([message], reader.now, reader.where)
        return self._renderer.page(
            request,
            template,
            here="",
            reader=reader,
            bubble=bubble,
            contact=Contact(message.sender if message.direction == "inbound" else message.recipient),
            attempts=await history.attempts(self._db, DEFAULT_ACCOUNT, message.id),
        )
