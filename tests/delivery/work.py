"""A worker in a process of its own, for tests that kill it: `python -m tests.delivery.work DATABASE VENDOR`."""

import asyncio
import signal
import sys

from aiohttp import ClientSession

from parley.db.bell import Bell
from parley.db.pool import open_database
from parley.delivery.worker import Worker
from tests.delivery.stage import carriers, ruled
from tests.delivery.vendor import Post


async def work(database_url: str, vendor_url: str) -> None:
    """Deliver until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    rules = ruled(timeout=2.0, lease=3.5)
    async with open_database(database_url, 4, "test worker") as db, ClientSession() as session:
        bell = Bell(db)
        providers = carriers(Post(vendor_url, session, timeout=2.0))
        await Worker(rules, db, providers, bell).run(database_url, stop)
        await bell.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
