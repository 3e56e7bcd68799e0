"""What became of messages, and what a person may do about it: the story, dead letters, retry, cancel, providers."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from starlette.requests import Request

from parley.api.schemas import Id
from parley.core.account import DEFAULT_ACCOUNT
from parley.core.errors import Conflict, Invalid, NotFound
from parley.core.ids import is_uuid
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.delivery import dead, history, overview
from parley.delivery.dead import DeadLetter
from parley.delivery.history import Attempt
from parley.delivery.overview import ProviderHealth, QueueDepth, WorkerSeen
from parley.messages import minutes
from parley.messages import read as messages
from parley.messages.read import Message


class Story(Message, frozen=True, kw_only=True):
    """A message with every attempt to deliver it."""

    attempts: list[Attempt]


class LettersQuery(msgspec.Struct, kw_only=True):
    """Which part of the dead letters."""

    per_page: Annotated[int, Meta(ge=0, le=200, description="0 means 50")] = 50
    cursor: Annotated[str, Meta(description="`next_cursor` of the page before")] | None = None


class DeadLetters(msgspec.Struct):
    """One page of the messages that were given up."""

    items: list[DeadLetter]
    next_cursor: str | None


class Changed(msgspec.Struct):
    """What a person's wish did to a message."""

    message_id: Id
    status: str


class Overview(msgspec.Struct):
    """How delivery is doing."""

    providers: list[ProviderHealth]
    queues: list[QueueDepth]
    workers: list[WorkerSeen]


class Deliveries:
    """GET /api/messages/{id}, /api/dead-letters, /api/providers; POST …/retry and …/cancel"""

    def __init__(self, db: Database, bell: Bell, providers: list[str], snippet_length: int) -> None:
        self._db = db
        self._bell = bell
        self._providers = providers
        self._snippet_length = snippet_length

    async def story(self, request: Request, id: str) -> Story:
        """A message and its attempts."""
        message = await messages.one(self._db, DEFAULT_ACCOUNT, id, self._snippet_length)
        attempts = await history.attempts(self._db, DEFAULT_ACCOUNT, message.id)
        return Story(**msgspec.structs.asdict(message), attempts=attempts)

    async def letters(self, request: Request, query: LettersQuery) -> DeadLetters:
        """The messages that were given up, the latest first."""
        if query.cursor is not None and not is_uuid(query.cursor):
            raise Invalid.field("cursor", "is not a cursor that this service gave out")
        after = UUID(query.cursor) if query.cursor is not None else None
        items, last = await dead.letters(self._db, DEFAULT_ACCOUNT, query.per_page or 50, after)
        return DeadLetters(items, str(last) if last is not None else None)

    async def retry(self, request: Request, id: str) -> Changed:
        """Have a failed message tried again."""
        if id.lower() not in await dead.retry(self._db, DEFAULT_ACCOUNT, [id]):
            await self._explain(id)
        self._ring()
        return Changed(id, "queued")

    async def cancel(self, request: Request, id: str) -> Changed:
        """Take a message out of the queue, unless it has left it."""
        await dead.cancel(self._db, DEFAULT_ACCOUNT, id)
        self._ring()
        return Changed(id, "canceled")

    async def overview(self, request: Request) -> Overview:
        """Providers, queues and workers."""
        hour = await minutes.hour(self._db, DEFAULT_ACCOUNT, datetime.now(UTC))
        return Overview(
            await overview.providers(self._db, self._providers, hour),
            await overview.queues(self._db),
            await overview.workers(self._db),
        )

    async def _explain(self, id: str) -> None:
        message = await messages.one(self._db, DEFAULT_ACCOUNT, id, self._snippet_length)
        if message.direction != "outbound":
            raise NotFound(f"there is no outbound message {id!r}")
        raise Conflict(f"the message is {message.status}; only one that failed can be tried again")

    def _ring(self) -> None:
        self._bell.ring("deliveries")
        self._bell.ring("events")
