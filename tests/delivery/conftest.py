"""A vendor and a client for every test of delivery."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.delivery.vendor import Post, Vendor
from tests.delivery.vendor import vendor as running_vendor


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """The worker's HTTP client."""
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A vendor that accepts everything until told otherwise."""
    async with running_vendor() as opened:
        yield opened


@pytest.fixture
def post(vendor: Vendor, session: ClientSession) -> Post:
    """The provider that speaks to the vendor."""
    return Post(vendor.url, session)
