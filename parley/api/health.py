"""Is the process up, can it do its work, and what has it counted."""

from collections.abc import Awaitable, Callable

import asyncpg
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from parley import metrics
from parley.api.negotiate import prefers
from parley.api.operation import Answer
from parley.api.problems import HttpProblem
from parley.api.schemas import Health, Readiness
from parley.core.errors import DatabaseAway, Detail
from parley.db.migrate import MISSING, names
from parley.db.pool import Database

_JSON, _TEXT, _OPEN = "application/json", "text/plain", "application/openmetrics-text"


class Vitals:
    """GET /healthz, /readyz and /metrics"""

    def __init__(self, db: Database, worker_alive: Callable[[Database], Awaitable[bool]]) -> None:
        self._db = db
        self._worker_alive = worker_alive

    async def health(self, request: Request) -> Health:
        """The process is up."""
        return Health()

    async def ready(self, request: Request) -> Readiness:
        """The database is reachable, its migrations are current, a worker is alive."""
        if lacking := await self._lacking():
            raise HttpProblem(503, f"not ready: {lacking.field} {lacking.message}", (lacking,))
        return Readiness()

    async def _lacking(self) -> Detail | None:
        """Name the first thing that is missing; what builds on it cannot be known."""
        try:
            if await self._db.fetch(MISSING, names()):
                return Detail("migrations", "are not current")
            return None if await self._worker_alive(self._db) else Detail("worker", "is not alive")
        except DatabaseAway:
            return Detail("database", "cannot be reached")
        except asyncpg.UndefinedTableError:
            return Detail("migrations", "have never run")

    async def metrics(self, request: Request) -> Response | Answer:
        """The counters: flat JSON, or Prometheus text for whoever asks for it."""
        accept = request.headers.get("accept", "")
        if prefers(accept, _JSON, _OPEN) == _OPEN:
            text: bytes = openmetrics.generate_latest(metrics.registry())  # type: ignore[no-untyped-call]
            return Response(text, media_type=openmetrics.CONTENT_TYPE_LATEST)
        if prefers(accept, _JSON, _TEXT) == _TEXT:
            return Response(generate_latest(metrics.registry()), media_type=CONTENT_TYPE_LATEST)
        return Answer(metrics.as_json(), {})
