"""How the service is doing, drawn: queues, the last hour, providers, what was given up, the simulators' faults."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parley.api.limits import Limits
from parley.api.mock import Mock
from parley.api.problems import HttpProblem
from parley.api.schemas import MockConfig
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Invalid, NotFound
from parley.db.pool import Database
from parley.delivery import dead
from parley.delivery.overview import ProviderHealth
from parley.feed import read as feed
from parley.web import charts, form
from parley.web.figures import Figures, Minute, figures
from parley.web.render import Reader, Renderer

_LETTERS = 25
FAULTS = {
    "error_pct": "Errors (500)",
    "ratelimit_pct": "Too many requests (429)",
    "timeout_pct": "No answer at all",
}


class Operations:
    """GET /operations and /operations/figures; POST /operations/faults"""

    def __init__(
        self,
        db: Database,
        renderer: Renderer,
        mock: Mock | None,
        providers: Sequence[str],
        limits: Limits,
        max_body_bytes: int,
    ) -> None:
        self._db = db
        self._renderer = renderer
        self._mock = mock
        self._providers = providers
        self._limits = limits
        self._max_body_bytes = max_body_bytes

    async def page(self, request: Request) -> Response:
        """All of it."""
        position = await feed.newest(self._db, DEFAULT_ACCOUNT)
        context = await self._figures(request) | {"faults": await self._faults(request), "here": "operations"}
        return self._renderer.page(request, "operations.html", position=str(position), **context)

    async def figures(self, request: Request) -> Response:
        """What changes by itself."""
        return self._renderer.page(request, "_figures.html", **await self._figures(request))

    async def change_faults(self, request: Request) -> Response:
        """Have the simulators misbehave as the form says."""
        await self._limits.admit(request)
        given = await form.read(request, self._max_body_bytes)
        if self._mock is None:
            raise NotFound("no simulators run here")
        wanted = {name: _percent(name, given.get(name)) for name in FAULTS if given.get(name)}
        await self._mock.configure(request, msgspec.convert(wanted, MockConfig))
        return RedirectResponse("/operations", 303)

    async def _faults(self, request: Request) -> list[tuple[str, str, float]] | None:
        """The simulators' knobs and how they stand; none where no simulators run or answer."""
        if self._mock is None:
            return None
        try:
            config = await self._mock.config(request)
        except HttpProblem:
            return None
        return [(name, word, getattr(config, name) or 0) for name, word in FAULTS.items()]

    async def _figures(self, request: Request) -> dict[str, Any]:
        reader = Reader.of(request)
        now = await figures(self._db, DEFAULT_ACCOUNT, self._providers, reader.now)
        letters, _ = await dead.letters(self._db, DEFAULT_ACCOUNT, _LETTERS)
        oldest = min((queue.oldest_at for queue in now.queues if queue.oldest_at), default=None)
        return {
            "reader": reader,
            "now": now,
            "letters": letters,
            "oldest": max(0.0, (reader.now - oldest).total_seconds()) if oldest else None,
            "waiting": sum(queue.ready + queue.waiting for queue in now.queues),
            "under_way": sum(queue.claimed for queue in now.queues),
            "hour": _sums(now.minutes),
            "inbound": _chart(now, reader, received="received"),
            "outbound": _chart(now, reader, delivered="delivered", failed="failed"),
            "shares": {one.provider: _share(one) for one in now.providers},
        }


def _sums(minutes: Sequence[Minute]) -> dict[str, int]:
    names = ("received", "ordered", "sent", "delivered", "failed")
    return {name: sum(getattr(minute, name) for minute in minutes) for name in names}


def _chart(now: Figures, reader: Reader, **kinds: str) -> charts.Chart:
    values = [{kind: getattr(minute, name) for kind, name in kinds.items()} for minute in now.minutes]
    titles = [
        f"{reader.clock(minute.at)}: " + ", ".join(f"{count} {kind}" for kind, count in value.items())
        for minute, value in zip(now.minutes, values, strict=True)
    ]
    return charts.columns(values, titles)


def _share(one: ProviderHealth) -> list[charts.Bar]:
    return charts.share({"delivered": one.delivered, "failed": one.failed})


def _percent(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise Invalid.field(name, f"is {text[:20]!r}, but takes 0 to 100")
    return value
