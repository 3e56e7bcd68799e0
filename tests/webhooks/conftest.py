"""The way in, on a real database, with the real providers on the simulators' published credentials."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from parley.db.bell import Bell
from parley.db.pool import Database
from parley.messages.writer import message_batcher
from parley.providers.registry import Providers, build
from parley.settings import Settings
from parley.webhooks.intake import Intake
from parley.webhooks.tidings import tidings_batcher
from tests.drafts import RULES


@pytest.fixture
async def providers(settings: Settings) -> AsyncIterator[Providers]:
    """All four vendors."""
    async with aiohttp.ClientSession() as http:
        yield build(settings, http)


@pytest.fixture
async def intake(db: Database) -> AsyncIterator[Intake]:
    """The way in."""
    bell = Bell(db)
    batchers = message_batcher(db, bell), tidings_batcher(db, bell)
    yield Intake(*batchers, RULES)
    for batcher in batchers:
        await batcher.close()
    await bell.close()
