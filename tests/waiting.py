"""Waiting for what is going to happen, instead of for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Return as soon as the condition holds; the loop goes on meanwhile."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)


async def ended(work: Awaitable[object], seconds: float = 30) -> None:
    """Return when something has ended, or will not: what outlives all tests must not take their results along."""
    await asyncio.wait({asyncio.ensure_future(work)}, timeout=seconds)
