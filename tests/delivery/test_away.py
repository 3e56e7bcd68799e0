"""A database that goes away and comes back in the middle of the work."""

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.db.embedded import Server
from parley.db.migrate import migrate
from parley.db.pool import open_database
from tests.delivery.stage import carriers, drained, enqueue, ruled, statuses, to_many, until, working
from tests.delivery.vendor import Post, Vendor


@pytest.fixture
async def own_server() -> AsyncIterator[Server]:
    """A PostgreSQL for this test alone, which it may stop."""
    binaries = os.environ.get("TEST_POSTGRES_BIN")
    with tempfile.TemporaryDirectory(prefix="parley-test-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), bin_dir=Path(binaries) if binaries else None)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


async def test_an_end_that_is_known_survives_the_databases_absence(
    own_server: Server, vendor: Vendor, post: Post
) -> None:
    """The database stops while requests are under way: what they brought is written down when it is back."""
    await migrate(own_server.url)
    rules = ruled(timeout=20.0, lease=120.0, concurrency=10)
    async with open_database(own_server.url, 4, "test") as db:
        ids = await enqueue(db, to_many(60))
        vendor.open.clear()
        slow = Post(vendor.url, post._client.session, timeout=20.0)
        async with working(db, own_server.url, carriers(slow), rules):
            await until(lambda: vendor.inside.total() == 10)
            await own_server.stop()
            vendor.open.set()
            await until(lambda: len(vendor.taken) == 10)
            await own_server.start()
            await until(lambda: drained(db), 60)
        assert vendor.counts == dict.fromkeys(ids, 1)
        assert await statuses(db) == {"sent": 60}
        assert await db.fetchval("select count(*) from attempts where outcome <> 'accepted'") == 0
