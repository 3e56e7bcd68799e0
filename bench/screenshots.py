"""Pictures of the main views, made in a browser from the demonstration: `python -m bench.screenshots [folder]`."""

import asyncio
import math
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from bench.connected import connected
from bench.programs import Crew, Program, free_port
from parley.db.embedded import Server
from parley.demo import fill

_FOLDER = Path("docs/screenshots")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
]
_DESKTOP, _PHONE = ViewportSize(width=1360, height=850), ViewportSize(width=390, height=800)

Prepare = Callable[[Page], Awaitable[None]]


class View(NamedTuple):
    """A picture: what it is called, where it is, and what is done there before it is taken."""

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    size: ViewportSize = _DESKTOP
    prepare: Prepare | None = None


def _conversation(words: str) -> Prepare:
    """Open the conversation whose row holds these words."""

    async def prepare(page: Page) -> None:
        await page.click(f".row a:has-text('{words}')")
        await expect(page.locator("#box")).to_be_visible()
        await expect(page.locator(".row a[aria-current] .row-unread")).to_have_count(0)
        for picture in await page.locator(".picture img").all():
            await picture.scroll_into_view_if_needed()
            await picture.evaluate("one => one.decode()")
        for frame in await page.query_selector_all("iframe"):
            await frame.scroll_into_view_if_needed()
            inner = await frame.content_frame()
            assert inner is not None
            await inner.wait_for_load_state("load")
        await page.evaluate("document.querySelector('#scroller').scrollTop = 0")

    return prepare


async def _live(page: Page) -> None:
    await expect(page.locator("#live-mark")).to_have_text("Live")


async def _sending(page: Page) -> None:
    await page.evaluate("document.querySelector('#post-api-messages-sms').scrollIntoView()")


_TALL = ViewportSize(width=1360, height=1120)

INBOX = [
    View("inbox-light", "/", prepare=_conversation("0134")),
    View("inbox-dark", "/", "dark", prepare=_conversation("0134")),
    View("thread-with-email", "/", prepare=_conversation("Priya N.")),
    View("search", "/?q=radiator"),
    View("phone-list", "/", size=_PHONE),
    View("phone-thread", "/", "dark", _PHONE, _conversation("0118")),
    View("docs", "/docs", prepare=_sending),
]
OPERATIONS = [
    View("operations", "/operations", size=_TALL, prepare=_live),
    View("operations-dark", "/operations", "dark", _TALL, _live),
]


async def main(folder: Path) -> None:
    """Start a service, fill it, and look at it."""
    with tempfile.TemporaryDirectory(prefix="parley-views-", ignore_cleanup_errors=True) as data:
        async with _service(Path(data)) as url, _browser() as browser:
            await fill(url)
            for view in INBOX:
                await _shoot(browser, url, view, folder / f"{view.name}.png")
            await _give_up_some(url)
            await _invent_an_hour(Server(Path(data)).url)
            for view in OPERATIONS:
                await _shoot(browser, url, view, folder / f"{view.name}.png")


async def _shoot(browser: Browser, url: str, view: View, file: Path) -> None:
    context = await browser.new_context(
        base_url=url,
        viewport=view.size,
        color_scheme=view.scheme,
        device_scale_factor=2 if view.size == _PHONE else 1,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(view.path)
    if view.prepare is not None:
        await view.prepare(page)
    await page.screenshot(path=file)
    await context.close()
    sys.stdout.write(f"{file}\n")


async def _give_up_some(url: str) -> None:
    """Let the provider be away for a moment, so that some messages have to be given up."""
    async with aiohttp.ClientSession(url) as http:
        await _faults(http, error_pct=100)
        for number in ("+15515550141", "+17325550116", "+19735550173"):
            text = {"from": "+12015550100", "to": number, "type": "sms", "body": "Your visit is confirmed."}
            await (await http.post("/api/messages/sms", json=text)).read()
        for _ in range(200):
            async with http.get("/api/dead-letters") as answer:
                if len((await answer.json())["items"]) >= 3:
                    break
            await asyncio.sleep(0.1)
        await _faults(http, error_pct=0)


async def _faults(http: aiohttp.ClientSession, **changes: int) -> None:
    async with http.put("/api/provider/mock/config", json=changes) as answer:
        answer.raise_for_status()


async def _invent_an_hour(database_url: str) -> None:
    """Draw the past hour as an ordinary one; waiting for it would take an hour."""
    dice, now = random.Random(5), datetime.now(UTC).replace(second=0, microsecond=0)
    rows: list[tuple[datetime, str, str, str, int]] = []
    for n in range(60):
        level = 26 + 14 * math.sin(n / 7) + dice.uniform(-5, 5)
        minute = now - timedelta(minutes=n)
        bad = 22 <= n <= 25
        for provider, channel, share in (("twilio", "sms", 0.8), ("sendgrid", "email", 0.2)):
            sent = max(1, round(level * share))
            failed = round(sent * (0.4 if bad and provider == "twilio" else 0.03 * dice.random()))
            counts = {
                "queued": sent,
                "sent": sent,
                "delivered": sent - failed,
                "failed": failed,
                "received": sent // 2,
            }
            rows += [(minute, status, channel, provider, count) for status, count in counts.items() if count]
    async with connected(database_url) as connection:
        await connection.execute("delete from minutes")
        await connection.executemany(
            "insert into minutes values (1, $1, $2, $3, $4, $5) on conflict do nothing", rows
        )


@asynccontextmanager
async def _service(data: Path) -> AsyncIterator[str]:
    """Everything that `parley up` starts, on free ports."""
    port = free_port()
    variables = {
        "DATA_DIR": str(data),
        "PORT": str(port),
        "SIMULATOR_PORT": str(free_port()),
        "WEB_PROCESSES": "1",
        "LOG_LEVEL": "error",
        "API_WORKER_MAX_RETRIES": "2",
        "API_WORKER_BACKOFF_BASE_MS": "20",
    }
    program = Program("service", ("-m", "parley", "up"), variables, data / "service.log")
    crew = Crew([program], port)
    try:
        yield (await crew.answers("/readyz", status=200)).url
    finally:
        crew.stop()


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), names[0])
        browser = await playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        yield browser
        await browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
