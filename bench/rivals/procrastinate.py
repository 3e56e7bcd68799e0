"""The request as a procrastinate job."""

import asyncio
import logging
import time

import uvloop
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

from bench.rivals.call import CONCURRENCY, WARM_UP, Call, calling, emptied, given, say

_BLOCK = 500


async def run(jobs: int, simulator: str, database_url: str) -> None:
    """Queue so many jobs and work them off, after a few to warm up."""
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=20))
    calls: list[Call] = []
    began = 0.0

    @app.task
    async def deliver(number: int) -> None:
        nonlocal began
        began = began or time.perf_counter()
        await calls[0].deliver(number)

    async def work_off(jobs: int) -> float:
        nonlocal began
        for start in range(0, jobs, _BLOCK):
            block: list[JSONDict] = [{"number": number} for number in range(start, min(jobs, start + _BLOCK))]
            await deliver.batch_defer_async(*block)
        began = 0.0
        run = app.run_worker_async(
            wait=False, concurrency=CONCURRENCY, delete_jobs="always", listen_notify=False
        )
        ended, _ = await asyncio.gather(emptied(database_url, "procrastinate_jobs"), run)
        return ended - began

    async with app.open_async(), calling(simulator) as call:
        calls.append(call)
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        await work_off(WARM_UP)
        say(jobs, await work_off(jobs))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asked = given()
    uvloop.run(run(asked.jobs, asked.simulator, asked.database_url))
