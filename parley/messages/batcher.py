"""Group commit: what arrives while one batch commits goes together into the next one.

There is no timer: a message that is alone is stored at once, and under load the batches grow by themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from parley.core.errors import DatabaseAway, Overloaded
from parley.core.message import Draft, Stored
from parley.db.pool import Database
from parley.messages.store import Batch, store

_LARGEST_BATCH = 256
_LARGEST_BYTES = 4_000_000
_LONGEST_QUEUE = 20_000

Waiting = tuple[Draft, "asyncio.Future[Stored]"]


class Batcher:
    """Collects drafts and stores them, one statement in flight."""

    def __init__(self, db: Database, after_commit: Callable[[Sequence[Draft], Batch], None]) -> None:
        self._db = db
        self._after_commit = after_commit
        self._queue: deque[Waiting] = deque()
        self._running: asyncio.Task[None] | None = None

    def put(self, draft: Draft) -> Awaitable[Stored]:
        """Have a draft stored; the answer comes after its commit."""
        if len(self._queue) >= _LONGEST_QUEUE:
            raise Overloaded("too many messages are waiting to be stored")
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queue.append((draft, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return future

    async def close(self) -> None:
        """Wait until everything that was put has its answer."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        try:
            while self._queue:
                # Let the requests that the event loop has already read join this batch.
                await asyncio.sleep(0)
                await self._settle(self._take())
        finally:
            self._running = None

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        size = 0
        while self._queue and len(taken) < _LARGEST_BATCH and size < _LARGEST_BYTES:
            waiting = self._queue.popleft()
            size += len(waiting[0].body)
            taken.append(waiting)
        return taken

    async def _settle(self, taken: list[Waiting]) -> None:
        try:
            await self._store(taken)
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.ProgramLimitExceededError,
        ) as error:
            if len(taken) == 1:
                _fail(taken, error)
            else:  # One row broke the statement: it fails alone.
                for waiting in taken:
                    await self._settle([waiting])
        except Exception as error:  # whoever waits must hear of it, whatever it was
            _fail(taken, error)

    async def _store(self, taken: list[Waiting]) -> None:
        drafts = [draft for draft, _ in taken]
        batch = await store(self._db, drafts)
        self._after_commit(drafts, batch)
        for draft, future in taken:
            if future.done():  # the client went away; its message is stored all the same
                continue
            if (stored := batch.stored.get(draft.id)) is not None:
                future.set_result(stored)
            else:
                future.set_exception(DatabaseAway("the message could not be settled against its repeats"))


def _fail(taken: list[Waiting], error: Exception) -> None:
    for _, future in taken:
        if not future.done():
            future.set_exception(error)
