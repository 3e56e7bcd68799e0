"""The browser and the service that it visits."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.conftest import other_database
from tests.web.service import Process, Service

# On a machine that has none, starting it fails, and says what it looked for.
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), _NAMES[0])
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Visit = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def service(server: str, template: str) -> AsyncIterator[Service]:
    """One service for all tests of the pages; each test has people of its own."""
    connection = await asyncpg.connect(server)
    await connection.execute(f"create database pages template {template}")
    await connection.close()
    with tempfile.TemporaryDirectory(prefix="parley-pages-", ignore_cleanup_errors=True) as folder:
        process = Process(Path(folder), other_database(server, "pages"))
        try:
            await process.ready()
            async with aiohttp.ClientSession() as http:
                yield Service(process.url, http)
        finally:
            await process.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; a machine without it fails here, and does not skip."""
    playwright = await async_playwright().start()
    browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
    yield browser
    # A browser that hangs is waited for without end; when its driver ends, it is killed.
    await _ended(browser.close())
    await _ended(playwright.stop())


async def _ended(closing: Awaitable[None]) -> None:
    done, _ = await asyncio.wait({asyncio.ensure_future(closing)}, timeout=30)
    for task in done:
        task.result()


@pytest.fixture
async def visit(service: Service, browser: Browser) -> AsyncIterator[Visit]:
    """Opens pages, each for a visitor of his own; what goes wrong in one of them fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    async def open_page(path: str = "/", **options: Any) -> Page:
        context = await browser.new_context(base_url=service.url, **options)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(f"{path}: {error}"))
        page.on("console", lambda said: wrong.extend([f"{path}: {said.text}"] * (said.type == "error")))
        await page.goto(path)
        return page

    yield open_page
    for context in contexts:
        # A request that a test holds up may still be held when it ends.
        await context.unroute_all(behavior="ignoreErrors")
        await context.close()
    noise = "Failed to load resource"
    assert not [one for one in wrong if noise not in one]
