"""A small provider of our own over real HTTP, whose every answer a test decides."""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from aiohttp import ClientSession, web

from parley.core.message import Channel, Inbound, Outgoing, StatusEvent
from parley.core.outcome import Accepted, Unknown
from parley.core.webhook import Webhook
from parley.providers import http


class Taken(msgspec.Struct, frozen=True):
    """A message that the vendor accepted."""

    vendor_id: str
    message_id: str
    recipient: str
    at: float


class Vendor:
    """`script` says what happens to the next requests, `habit` what happens to those after them.

    ok: accepted. error: 500. limit: 429. reject: 400. silence: accepted, no answer. lost: neither.
    """

    def __init__(self) -> None:
        self.url = ""
        self.script: deque[str] = deque()
        self.habit = "ok"
        self.retry_after = "0"
        self.taken: list[Taken] = []
        self.requests: list[str] = []
        self.looked_up: list[str] = []
        self.listing = True
        """Whether look-ups show what was accepted."""
        self.down = False
        """Whether look-ups fail."""
        self.inside: Counter[str] = Counter()
        self.most_inside = 0
        self.most_to_one = 0
        self.open = asyncio.Event()
        self.open.set()

    @property
    def counts(self) -> Counter[str]:
        """How often each message was accepted."""
        return Counter(taken.message_id for taken in self.taken)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Take a message, or do what the script says instead."""
        order = await request.json()
        self.requests.append(order["id"])
        self.inside[order["to"]] += 1
        self.most_inside = max(self.most_inside, self.inside.total())
        self.most_to_one = max(self.most_to_one, self.inside[order["to"]])
        try:
            await self.open.wait()
            return await self._answer(order, self.script.popleft() if self.script else self.habit)
        finally:
            self.inside[order["to"]] -= 1

    async def _answer(self, order: dict[str, str], act: str) -> web.StreamResponse:
        if act in ("ok", "silence"):
            vendor_id = f"v{len(self.taken) + 1}"
            now = asyncio.get_running_loop().time()
            self.taken.append(Taken(vendor_id, order["id"], order["to"], now))
            if act == "ok":
                return web.json_response({"id": vendor_id}, status=201)
        if act in ("silence", "lost"):
            await asyncio.Event().wait()
        status = {"error": 500, "limit": 429, "reject": 400}[act]
        headers = {"Retry-After": self.retry_after} if act == "limit" else {}
        return web.json_response(
            {"code": f"E{status}", "text": f"as told: {act}"}, status=status, headers=headers
        )

    async def find(self, request: web.Request) -> web.StreamResponse:
        """Tell which ids a message has here."""
        wanted = request.match_info["id"]
        self.looked_up.append(wanted)
        if self.down:
            return web.json_response({"text": "down"}, status=503)
        known = [taken.vendor_id for taken in self.taken if taken.message_id == wanted and self.listing]
        return web.json_response(known)


@asynccontextmanager
async def vendor() -> AsyncIterator[Vendor]:
    """A vendor on a free port."""
    made = Vendor()
    app = web.Application()
    app.router.add_post("/send", made.send)
    app.router.add_get("/find/{id}", made.find)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    await web.SockSite(runner, bound).start()
    made.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


class _Created(msgspec.Struct):
    id: str


class _Problem(msgspec.Struct):
    code: str
    text: str


class Post:
    """The provider that speaks to a `Vendor`."""

    def __init__(
        self,
        url: str,
        session: ClientSession,
        name: str = "post",
        channels: Collection[Channel] = ("sms", "mms"),
        timeout: float = 0.5,
        can_look_up: bool = True,
    ) -> None:
        self.name = name
        self.channels = frozenset(channels)
        self.can_look_up = can_look_up
        self.can_report = False
        self._url = url
        self._client = http.Client(session, timeout)

    async def status(self, provider_message_id: str) -> StatusEvent | None:
        """It does not say."""
        return None

    async def send(self, message: Outgoing) -> Accepted:
        """Post a message."""
        order = {"id": message.id, "from": message.sender, "to": message.recipient, "body": message.body}
        body = msgspec.json.encode(order)
        answer = await self._client.ask(
            "POST", f"{self._url}/send", {"Content-Type": "application/json"}, body
        )
        if answer.status == 201 and (created := http.decode(answer.body, _Created)):
            return Accepted(created.id, 201)
        problem = http.decode(answer.body, _Problem)
        raise http.refusal(answer, problem.text if problem else None, code=problem.code if problem else None)

    async def find(self, message: Outgoing, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """Ask for a message by our id."""
        assert since <= datetime.now(UTC)
        answer = await self._client.ask("GET", f"{self._url}/find/{message.id}", {})
        if answer.status != 200:
            raise Unknown("look-up failed", http_status=answer.status)
        ids = [found for found in msgspec.json.decode(answer.body, type=list[str]) if found not in known]
        return Accepted(ids[0]) if ids else None

    def verify(self, webhook: Webhook, now: datetime) -> None:
        """This vendor signs nothing."""

    def parse(self, webhook: Webhook) -> Sequence[Inbound | StatusEvent]:
        """This vendor tells nothing."""
        return ()
