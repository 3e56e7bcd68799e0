"""Our own rate limits, per client and per sender; the allowances live in PostgreSQL, so all processes share them."""

from starlette.requests import Request

from parley import metrics
from parley.api.problems import HttpProblem
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.api", "limits.sql")


class Limits:
    """Takes from allowances; a limit of 0 is off and costs nothing."""

    def __init__(self, db: Database, per_ip: int, per_sender: int) -> None:
        self._db = db
        self._per_ip = per_ip
        self._per_sender = per_sender

    async def admit(self, request: Request) -> None:
        """Count a request against its client; raises 429."""
        if self._per_ip:
            await self._take("ip", request.scope["client_ip"], self._per_ip)

    async def admit_sender(self, sender: str) -> None:
        """Count a message against its sender; raises 429."""
        if self._per_sender:
            await self._take("sender", sender, self._per_sender)

    async def _take(self, kind: str, subject: str, per_minute: int) -> None:
        row = await self._db.fetchrow(_SQL["take"], kind, subject, per_minute)
        assert row is not None
        if row["allowed"]:
            return
        metrics.RATE_LIMITED.labels(kind).inc()
        worth = 60 / per_minute
        wait = max(1, round(row["until_full"] + worth - 60 + 0.5))
        raise HttpProblem(
            429,
            f"more than {per_minute} a minute for this {kind}",
            headers={
                "Retry-After": str(wait),
                "RateLimit-Limit": str(per_minute),
                "RateLimit-Remaining": "0",
                "RateLimit-Reset": str(wait),
            },
        )
