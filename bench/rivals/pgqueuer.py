"""The request as a pgqueuer job."""

import logging
import time

import asyncpg
import uvloop
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from bench.rivals.call import CONCURRENCY, calling, given, say

_BLOCK = 500
_BATCH = 64


async def run(jobs: int, simulator: str, database_url: str) -> None:
    """Queue so many jobs, then work them off."""
    began = 0.0
    async with asyncpg.create_pool(database_url, min_size=2, max_size=20) as pool, calling(simulator) as call:
        queries = Queries.from_asyncpg_pool(pool)
        manager = QueueManager(queries)
        if not await queries.schema_is_installed():
            await queries.install()

        @manager.entrypoint("deliver")
        async def deliver(job: Job) -> None:
            nonlocal began
            began = began or time.perf_counter()
            await call.deliver(int(job.payload or b"0"))

        for start in range(0, jobs, _BLOCK):
            numbers = range(start, min(jobs, start + _BLOCK))
            payloads: list[bytes | None] = [str(number).encode() for number in numbers]
            await queries.enqueue(["deliver"] * len(numbers), payloads, [0] * len(numbers))
        await manager.run(
            batch_size=_BATCH, max_concurrent_tasks=2 * CONCURRENCY, mode=QueueExecutionMode.drain
        )
        say(jobs, time.perf_counter() - began)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    asked = given()
    uvloop.run(run(asked.jobs, asked.simulator, asked.database_url))
