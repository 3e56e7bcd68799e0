"""The request as a pgqueuer job."""

import asyncio
import logging
import time

import asyncpg
import uvloop
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from bench.rivals.call import CONCURRENCY, WARM_UP, Call, calling, emptied, given, say

_BLOCK = 500
# Tried with 128 and 256 too, which were slower.
_BATCH = 64


async def run(jobs: int, simulator: str, database_url: str) -> None:
    """Queue so many jobs and work them off, after a few to warm up."""
    async with asyncpg.create_pool(database_url, min_size=2, max_size=20) as pool, calling(simulator) as call:
        queries = Queries.from_asyncpg_pool(pool)
        if not await queries.schema_is_installed():
            await queries.install()
        await _work_off(queries, call, WARM_UP, database_url)
        say(jobs, await _work_off(queries, call, jobs, database_url))


async def _work_off(queries: Queries, call: Call, jobs: int, database_url: str) -> float:
    """How many seconds it takes from the first job on."""
    began = 0.0
    manager = QueueManager(queries)

    @manager.entrypoint("deliver")
    async def deliver(job: Job) -> None:
        nonlocal began
        began = began or time.perf_counter()
        await call.deliver(int(job.payload or b"0"))

    for start in range(0, jobs, _BLOCK):
        numbers = range(start, min(jobs, start + _BLOCK))
        payloads: list[bytes | None] = [str(number).encode() for number in numbers]
        await queries.enqueue(["deliver"] * len(numbers), payloads, [0] * len(numbers))
    run = manager.run(batch_size=_BATCH, max_concurrent_tasks=2 * CONCURRENCY, mode=QueueExecutionMode.drain)
    ended, _ = await asyncio.gather(emptied(database_url, queries.qbe.settings.queue_table), run)
    return ended - began


if __name__ == "__main__":
    logging.disable(logging.INFO)
    asked = given()
    uvloop.run(run(asked.jobs, asked.simulator, asked.database_url))
