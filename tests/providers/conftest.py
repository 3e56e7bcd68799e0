"""Stages for the tests of the providers."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.providers.vendors import MailStage, Stage, http_stage, mail_stage


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """An HTTP client."""
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A vendor with an HTTP API."""
    async with http_stage() as opened:
        yield opened


@pytest.fixture
async def mail() -> AsyncIterator[MailStage]:
    """A mail server."""
    async with mail_stage() as opened:
        yield opened
