"""The application in this process, for tests that need settings of their own."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec

from parley.settings import Settings
from tests.api.served import served
from tests.contract.client import Api


@contextlib.asynccontextmanager
async def serving(settings: Settings, **changes: Any) -> AsyncIterator[Api]:
    """Lend a client of the application with these settings."""
    async with served(msgspec.structs.replace(settings, **changes)) as url, aiohttp.ClientSession() as http:
        yield Api(http, url)
