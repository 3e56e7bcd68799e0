"""One simulation and one receiver of its webhooks, clean for every test."""

from collections.abc import AsyncIterator

import pytest

from parley.simulators.config import Simulation
from tests.simulators.stage import Catcher, Stage, catching, running


@pytest.fixture(scope="session")
async def _catcher() -> AsyncIterator[Catcher]:
    async with catching() as catcher:
        yield catcher


@pytest.fixture(scope="session")
async def _stage(_catcher: Catcher) -> AsyncIterator[Stage]:
    config = Simulation(
        webhook_base_url=_catcher.url, sent_ms=5, delivered_ms=15, batch_ms=20, callback_retry_ms=5
    )
    async with running(config) as stage:
        yield stage


@pytest.fixture
async def sim(_stage: Stage, _catcher: Catcher) -> Stage:
    """A simulation without faults and with an empty ledger."""
    await _stage.faults()
    async with _stage.http.delete(f"{_stage.url}/control/ledger") as answer:
        assert answer.status == 204
    _catcher.caught.clear()
    _catcher.answers.clear()
    return _stage


@pytest.fixture
def catcher(sim: Stage, _catcher: Catcher) -> Catcher:
    """The receiver of the simulation's webhooks."""
    return _catcher
