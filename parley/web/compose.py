"""Writing: the form for a new message, its preview, and the one address to which all forms send."""

from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parley.api.limits import Limits
from parley.api.sends import Sends
from parley.conversations import read as conversations
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Conflict, Invalid
from parley.core.ids import new_id
from parley.core.message import CHANNELS
from parley.core.page import Window
from parley.db.pool import Database
from parley.messages.send import Order
from parley.web import form
from parley.web.form import Form
from parley.web.inbox import Inbox
from parley.web.listing import Listing, row
from parley.web.reading import answering
from parley.web.render import Renderer

_LOOKED_AT = 30


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the form."""

    channel: str = "sms"
    to: str = ""
    sender: str = ""
    subject: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    attachments: list[str] = []
    body: str = ""


class Compose:
    """GET /new, POST /send and /preview"""

    def __init__(
        self,
        db: Database,
        renderer: Renderer,
        inbox: Inbox,
        sends: Sends,
        limits: Limits,
        max_body_bytes: int,
    ) -> None:
        self._db = db
        self._renderer = renderer
        self._inbox = inbox
        self._sends = sends
        self._limits = limits
        self._max_body_bytes = max_body_bytes

    async def new(self, request: Request) -> Response:
        """The form, empty or for an answer; as a page, or as a part that becomes a dialog."""
        number, draft = "", Draft(to=request.query_params.get("to", "")[:320])
        if reference := request.query_params.get("conversation"):
            subject, conversation = await answering(self._db, reference)
            number = conversation.id
            channel = "email" if "@" in conversation.contact else "sms"
            draft = Draft(channel=channel, to=conversation.contact, sender=conversation.own, subject=subject)
        elif owns := await self._owns():
            own = next((one for one in owns if ("@" in one) == ("@" in draft.to)), "")
            draft = msgspec.structs.replace(draft, channel="email" if "@" in draft.to else "sms", sender=own)
        template = "_compose.html" if request.query_params.get("part") else "compose.html"
        return await self._form(request, template, draft, number)

    async def send(self, request: Request) -> Response:
        """Send what a form holds, once for its key, and go to the conversation."""
        await self._limits.admit(request)
        given = await form.read(request, self._max_body_bytes)
        try:
            accepted = (await self._sends.accept(request, _order(given), given.get("key"))).value
        except (Invalid, Conflict) as error:
            return await self._again(request, given, error.message)
        anchor = f"/c/{quote(accepted.conversation_id)}#m-{accepted.message_id}"
        return RedirectResponse(anchor, 303)

    async def preview(self, request: Request) -> Response:
        """A mail as its recipient will see it."""
        given = await form.read(request, self._max_body_bytes)
        return self._renderer.mail(request, given.get("body"), pictures=True)

    async def _again(self, request: Request, given: Form, wrong: str) -> Response:
        """The form as it was, with what is wrong; a new key, since a refused message was never stored."""
        draft = _draft(given)
        if given.get("new"):
            return await self._form(request, "compose.html", draft, "", wrong)
        return await self._inbox.again(
            request, given.get("conversation"), msgspec.structs.asdict(draft), wrong
        )

    async def _form(
        self, request: Request, template: str, draft: Draft, number: str, wrong: str = ""
    ) -> Response:
        context: dict[str, Any] = {
            "here": "",
            "draft": draft,
            "conversation_id": number,
            "owns": await self._owns(),
            "key": new_id(),
            "wrong": wrong,
        }
        return self._renderer.page(request, template, status=400 if wrong else 200, **context)

    async def _owns(self) -> list[str]:
        page = await conversations.latest(self._db, DEFAULT_ACCOUNT, Window(_LOOKED_AT), 1)
        return Listing(rows=[row(one) for one in page.items]).owns


def _draft(given: Form) -> Draft:
    channel = given.get("channel")
    return Draft(
        channel=channel if channel in CHANNELS else "sms",
        to=given.get("to"),
        sender=given.get("from"),
        subject=given.get("subject"),
        cc=given.get("cc"),
        bcc=given.get("bcc"),
        reply_to=given.get("reply_to"),
        attachments=given.words("attachments"),
        body=given.get("body"),
    )


def _order(given: Form) -> Order:
    """The same order that a program would send: one key may come from both."""
    email = given.get("channel") == "email"
    return Order(
        account_id=DEFAULT_ACCOUNT,
        channel=given.get("channel"),
        sender=given.get("from").strip(),
        recipient=given.get("to").strip(),
        body=given.get("body"),
        subject=(given.get("subject").strip() or None) if email else None,
        cc=tuple(given.mailboxes("cc")) if email else (),
        bcc=tuple(given.mailboxes("bcc")) if email else (),
        reply_to=(given.get("reply_to").strip() or None) if email else None,
        attachments=tuple(given.words("attachments")),
    )
