"""What forms do without scripts: close and reopen, read and unread, try again, take back."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parley.api.deliveries import Deliveries
from parley.api.limits import Limits
from parley.conversations import state
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Invalid
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.messages import read as messages
from parley.web import form

_CHANGES: dict[str, Callable[[Database, Bell, int, str], Awaitable[bool]]] = {
    "open": state.reopen,
    "closed": state.close,
    "read": state.mark_read,
    "unread": state.mark_unread,
}


class Acts:
    """POST /c/{id}/state, /m/{id}/retry and /m/{id}/cancel"""

    def __init__(
        self, db: Database, bell: Bell, deliveries: Deliveries, limits: Limits, max_body_bytes: int
    ) -> None:
        self._db = db
        self._bell = bell
        self._deliveries = deliveries
        self._limits = limits
        self._max_body_bytes = max_body_bytes

    async def state(self, request: Request) -> Response:
        """Close, reopen, mark as read or unread."""
        await self._limits.admit(request)
        wanted = (await form.read(request, self._max_body_bytes)).get("state")
        if wanted not in _CHANGES:
            raise Invalid.field("state", f"is {wanted[:40]!r}, but takes {', '.join(_CHANGES)}")
        await _CHANGES[wanted](self._db, self._bell, DEFAULT_ACCOUNT, request.path_params["id"])
        return RedirectResponse("/" if wanted == "unread" else f"/c/{request.path_params['id']}", 303)

    async def retry(self, request: Request) -> Response:
        """Have a failed message tried again."""
        back = await self._back(request)
        await self._deliveries.retry(request, request.path_params["id"])
        return back

    async def cancel(self, request: Request) -> Response:
        """Take a message out of the queue."""
        back = await self._back(request)
        await self._deliveries.cancel(request, request.path_params["id"])
        return back

    async def _back(self, request: Request) -> Response:
        """The way back to where the form stood."""
        await self._limits.admit(request)
        given = await form.read(request, self._max_body_bytes)
        message = await messages.one(self._db, DEFAULT_ACCOUNT, request.path_params["id"], 1)
        if given.get("from") == "operations":
            return RedirectResponse("/operations", 303)
        return RedirectResponse(f"/c/{message.conversation_id}#m-{message.id}", 303)
