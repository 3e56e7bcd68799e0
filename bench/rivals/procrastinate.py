"""The request as a procrastinate job."""

import logging
import time

import uvloop
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

from bench.rivals.call import CONCURRENCY, Call, calling, given, say

_BLOCK = 500


async def run(jobs: int, simulator: str, database_url: str) -> None:
    """Queue so many jobs, then work them off."""
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=20))
    calls: list[Call] = []
    began = 0.0

    @app.task
    async def deliver(number: int) -> None:
        nonlocal began
        began = began or time.perf_counter()
        await calls[0].deliver(number)

    async with app.open_async(), calling(simulator) as call:
        calls.append(call)
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        for start in range(0, jobs, _BLOCK):
            block: list[JSONDict] = [{"number": number} for number in range(start, min(jobs, start + _BLOCK))]
            await deliver.batch_defer_async(*block)
        await app.run_worker_async(
            wait=False, concurrency=CONCURRENCY, delete_jobs="always", listen_notify=False
        )
        say(jobs, time.perf_counter() - began)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asked = given()
    uvloop.run(run(asked.jobs, asked.simulator, asked.database_url))
