"""The database goes away under load and comes back: nothing is promised meanwhile, nothing is lost, nobody restarts."""

from pathlib import Path

import aiohttp
import asyncpg

from parley.db.embedded import Server
from tests.contract.client import Api
from tests.contract.invariants import invariants_hold
from tests.contract.load import Load, under_load
from tests.contract.service import Service, running, until
from tests.contract.test_refusals import assert_refused


async def test_a_database_that_goes_away_under_load_comes_back_by_itself(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """503 with Retry-After, no 202 without a row, recovery without a restart; /readyz names what is not."""
    server = Server(tmp_path / "database")
    await server.start()
    try:
        async with running(Service(tmp_path, DATABASE_URL=server.url)) as service:
            api, processes = Api(http, service.url), service.family()
            async with under_load(api) as load:
                await until(lambda: len(load.accepted()) > 100)
                await server.stop()
                await _is_away(api, load)
                await server.start()
                await service.ready()
                enough = len(load.accepted()) + 100
                await until(lambda: len(load.accepted()) > enough)
            assert service.family() == processes
            assert load.statuses() == {202, 503}
            await _nothing_was_lost(load, server.url)
    finally:
        await server.stop()


async def _is_away(api: Api, load: Load) -> None:
    """What the outside sees meanwhile."""
    answered = len(load.sent)
    await until(lambda: len(load.sent) > answered + 100)
    for path in (
        "/api/conversations",
        "/api/messages/01a1f70d-5479-73f0-8b6a-9c5316e98b1e",
        "/api/dead-letters",
    ):
        refused = await api.get(path)
        assert_refused(refused, 503, "database_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    unready = await api.get("/readyz")
    assert_refused(unready, 503, "unavailable")
    assert unready.fields == ["database"]
    assert (await api.get("/healthz")).status == 200
    assert (await api.get("/metrics")).json["conversations_failures"] > 0
    refused = next(sent.reply for sent in reversed(load.sent) if sent.reply is not None)
    assert_refused(refused, 503, "database_unavailable")
    assert int(refused.headers["Retry-After"]) > 0


async def _nothing_was_lost(load: Load, url: str) -> None:
    """Every 202 has its row, and who tries again with his key gets his message exactly once."""
    assert None not in [sent.reply for sent in load.sent]
    await load.again()
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select id::text, body from messages")
    assert sorted(row["id"] for row in rows) == sorted(load.accepted())
    assert sorted(row["body"] for row in rows) == sorted(sent.key for sent in load.sent)
    await invariants_hold(connection)
    await connection.close()
