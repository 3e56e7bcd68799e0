"""Stopping: SIGTERM drains. No accepted request is cut off, no claimed message is lost or sent twice."""

import json
import signal
from pathlib import Path

import aiohttp

from tests.contract.aftermath import all_is_delivered, promises_are_kept
from tests.contract.client import Api, sms
from tests.contract.load import under_load
from tests.contract.raw import line, post
from tests.contract.service import Service, running, until
from tests.contract.vendors import Vendors


async def test_a_request_that_has_begun_is_answered(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Half of it came before the signal and half after: 202, stored, and then the connection is closed."""
    service = Service(tmp_path)
    request = post("/api/messages/sms", json.dumps(sms()).encode(), "Expect: 100-continue")
    async with running(service):
        async with line(service.port) as begun, line(service.port) as idle:
            await begun.write(request[:-20])
            assert (await begun.read()).status == 100
            service.signal(signal.SIGTERM)
            assert (await idle.read()).status == 0
            await begun.write(request[-20:])
            answer = await begun.read()
            assert answer.status == 202
            assert (await begun.read()).status == 0
        assert await service.ended() == 0
        await service.start()
        message = await Api(http, service.url).message(answer.json["message_id"])
        assert message["id"] == answer.json["message_id"]


async def test_a_stop_under_load_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, vendors: Vendors, http: aiohttp.ClientSession
) -> None:
    """Everything that was answered is stored, the worker ends what it began, and the next start goes on from there."""
    service = Service(tmp_path / "service", port=vendors.port, **vendors.variables)
    api, data = Api(http, service.url), tmp_path / "service" / "data"
    await vendors.slow_down(300)
    async with running(service):
        async with under_load(api, clients=24, conversations=200) as load:
            await until(lambda: len(load.accepted()) > 400)
            await service.stop()
        assert load.statuses() <= {202, 503}
        assert await promises_are_kept(load, data) == set()
        await vendors.slow_down(0)
        await service.start()
        await load.again()
        channels = await all_is_delivered(load, data)
    carried = await vendors.carried()
    assert carried.keys() == channels.keys()
    assert set(carried.values()) == {1}
