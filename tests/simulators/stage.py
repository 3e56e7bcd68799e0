"""A running simulation and a receiver of its webhooks, for tests that talk real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import ClientSession, web

from parley.simulators.config import Simulation
from parley.simulators.run import serve


def listener() -> socket.socket:
    """A socket on a free port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


class Caught(msgspec.Struct, frozen=True):
    """A webhook as it arrived."""

    url: str
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> Any:
        """The decoded JSON."""
        return msgspec.json.decode(self.body)


class Catcher:
    """Takes every webhook; `answers` holds the statuses of the next ones, 200 after that."""

    def __init__(self) -> None:
        self.url = ""
        self.caught: list[Caught] = []
        self.answers: list[int] = []
        self._more = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self._more:
            self.caught.append(Caught(f"{self.url}{request.path_qs}", headers, body))
            self._more.notify_all()
        status = self.answers.pop(0) if self.answers else 200
        return web.json_response({"status": "accepted"}, status=status)

    async def until(self, enough: Callable[[list[Caught]], bool]) -> list[Caught]:
        """Wait until what was caught is enough."""
        async with asyncio.timeout(10), self._more:
            await self._more.wait_for(lambda: enough(self.caught))
        return self.caught

    async def first(self, count: int) -> list[Caught]:
        """Wait for so many webhooks."""
        return await self.until(lambda caught: len(caught) >= count)


@asynccontextmanager
async def catching() -> AsyncIterator[Catcher]:
    """A receiver on a free port."""
    catcher = Catcher()
    app = web.Application(client_max_size=50_000_000)
    app.router.add_route("*", "/{path:.*}", catcher.take)
    runner = web.AppRunner(app)
    await runner.setup()
    bound = listener()
    await web.SockSite(runner, bound).start()
    catcher.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        yield catcher
    finally:
        await runner.cleanup()


class Stage:
    """A simulation that runs."""

    def __init__(self, url: str, http: ClientSession, smtp_port: int) -> None:
        self.url = url
        self.http = http
        self.smtp_port = smtp_port

    async def get(self, path: str) -> Any:
        """GET of the control interface."""
        async with self.http.get(f"{self.url}/control/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def faults(self, **faults: Any) -> None:
        """Put faults into force."""
        async with self.http.put(f"{self.url}/control/faults", json=faults) as answer:
            assert answer.status == 200, await answer.text()

    async def inbound(self, **order: Any) -> Any:
        """Let a person write."""
        async with self.http.post(f"{self.url}/control/inbound", json=order) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@asynccontextmanager
async def running(config: Simulation) -> AsyncIterator[Stage]:
    """A simulation on free ports."""
    web_socket, smtp_socket = listener(), listener()
    web_port, smtp_port = web_socket.getsockname()[1], smtp_socket.getsockname()[1]
    serving = asyncio.create_task(serve(web_socket, config, smtp_socket))
    async with ClientSession() as http:
        stage = Stage(f"http://127.0.0.1:{web_port}", http, smtp_port)
        await _answering(stage, serving)
        try:
            yield stage
        finally:
            serving.cancel()
            ended, _ = await asyncio.wait({serving}, timeout=30)
            assert ended, "the simulation does not stop"


async def _answering(stage: Stage, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        while True:
            if serving.done():
                serving.result()
            try:
                await stage.get("ledger/summary")
            except OSError:
                await asyncio.sleep(0.01)
            else:
                return
