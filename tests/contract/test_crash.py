"""`kill -9` of everything in the middle of a load: what was promised is kept, and carried exactly once."""

from pathlib import Path

import aiohttp
import pytest

from tests.contract.aftermath import all_is_delivered, promises_are_kept
from tests.contract.client import Api
from tests.contract.load import under_load
from tests.contract.service import Service, running, until
from tests.contract.vendors import Vendors


async def test_nothing_promised_is_lost_or_sent_twice(
    tmp_path: Path, vendors: Vendors, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every 202 is stored exactly once and reaches the vendor exactly once.

    Of the sends whose request was under way when the worker was killed, those of a vendor that can be asked go out
    once all the same; the others may reach their vendor twice at most, and the test says how many did.
    """
    service = Service(tmp_path / "service", port=vendors.port, **vendors.variables)
    api, data = Api(http, service.url), tmp_path / "service" / "data"
    await vendors.slow_down(300)
    async with running(service):
        async with under_load(api, clients=24, conversations=200) as load:
            await until(lambda: len(load.accepted()) > 400)
            await service.kill()
        await vendors.slow_down(0)
        cut = await promises_are_kept(load, data)
        await service.start()
        await load.again()
        channels = await all_is_delivered(load, data)
    carried = await vendors.carried()
    twice = {id for id, times in carried.items() if times > 1}
    with capsys.disabled():
        print(f" [{len(carried)} sent, {len(cut)} of them cut by the kill, {len(twice)} sent twice]", end="")
    assert carried.keys() == channels.keys()
    assert len(cut) > 0
    assert {id for id in twice if channels[id] != "email"} == set()
    assert twice <= cut
    assert max(carried.values()) <= 2
