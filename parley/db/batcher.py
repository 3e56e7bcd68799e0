"""Group commit: what arrives while one batch commits goes together into the next one.

There is no timer, unless one is asked for: what comes alone is written at once, and under load the batches grow by
themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg

from parley.core.errors import Overloaded

T = TypeVar("T")
R = TypeVar("R")

_LARGEST_BATCH = 256
_LARGEST_WEIGHT = 4_000_000
_LONGEST_QUEUE = 20_000

# What one row can do wrong by itself; anything else concerns the whole batch.
_ROW_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


class Batcher(Generic[T, R]):
    """Collects items and writes them in sets, one set at a time.

    `write` stores a set and returns one result an item, in order; a result that is an exception is raised
    to the one who put that item. `weigh` bounds a set by more than its length. With `gather_seconds`, for items that
    no person waits for, each set is given a moment to grow.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        weigh: Callable[[T], int] = lambda _: 1,
        gather_seconds: float = 0.0,
    ) -> None:
        self._write = write
        self._weigh = weigh
        self._gather_seconds = gather_seconds
        self._queue: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: asyncio.Task[None] | None = None

    def put(self, item: T) -> Awaitable[R]:
        """Have an item written; the answer comes after its commit."""
        if len(self._queue) >= _LONGEST_QUEUE:
            raise Overloaded("too much is waiting to be stored")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
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
                # At the least, let the requests that the event loop has already read join this set.
                await asyncio.sleep(self._gather_seconds)
                await self._settle(self._take())
        finally:
            self._running = None

    def _take(self) -> list[tuple[T, "asyncio.Future[R]"]]:
        taken: list[tuple[T, asyncio.Future[R]]] = []
        weight = 0
        while self._queue and len(taken) < _LARGEST_BATCH and weight < _LARGEST_WEIGHT:
            taken.append(self._queue.popleft())
            weight += self._weigh(taken[-1][0])
        return taken

    async def _settle(self, taken: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._write([item for item, _ in taken])
        except _ROW_ERRORS as error:
            if len(taken) == 1:
                _answer(taken[0][1], error)
            else:  # One item broke the statement: it fails alone.
                for one in taken:
                    await self._settle([one])
        except Exception as error:
            for _, future in taken:
                _answer(future, error)
        else:
            for (_, future), result in zip(taken, results, strict=True):
                _answer(future, result)


def _answer(future: "asyncio.Future[R]", result: R | Exception) -> None:
    if future.done():  # the client went away; what it sent is stored all the same
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
