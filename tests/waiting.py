"""Waiting for what is going to happen, instead of for a time."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Return as soon as the condition holds; the loop goes on meanwhile."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)
