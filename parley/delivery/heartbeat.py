"""A worker's sign of life, for /readyz and the operations page."""

import os
import socket
from uuid import UUID

from parley.core.ids import new_id
from parley.db.pool import Database
from parley.db.sql import statements

_SQL = statements("parley.delivery", "heartbeat.sql")
_PATIENCE_SECONDS = 15.0


class Heart:
    """The sign of life of one worker."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._id = UUID(new_id())
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    async def beat(self, in_hand: int) -> None:
        """Say that we live, and how many deliveries we hold."""
        await self._db.execute(_SQL["beat"], self._id, self._name, in_hand)

    async def stop(self) -> None:
        """Say that we are gone."""
        await self._db.execute(_SQL["stop"], self._id)


async def alive(db: Database) -> bool:
    """Whether any worker has shown itself lately."""
    return bool(await db.fetchval(_SQL["alive"], _PATIENCE_SECONDS))
