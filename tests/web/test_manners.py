"""Sizes, colours, directions, times: the page fits itself to who comes."""

import re

import pytest
from playwright.async_api import Page, Request, expect

from tests.web.conftest import Visit
from tests.web.service import Service, mailbox, somebody


async def test_dark_and_light_follow_the_reader(service: Service, visit: Visit) -> None:
    """No switch, no flash: the style sheet asks the system."""
    colours = []
    for scheme in ("light", "dark"):
        page = await visit("/", color_scheme=scheme)
        colours.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert await page.locator("meta[name=color-scheme]").get_attribute("content") == "light dark"
    assert colours == ["rgb(246, 246, 243)", "rgb(18, 20, 19)"]


async def test_a_phone_shows_one_pane_at_a_time(service: Service, visit: Visit) -> None:
    """List, conversation, and back; nothing is wider than the screen."""
    number = await service.text(somebody(), "w" * 300 + " https://example.com/" + "x" * 300)
    page = await visit("/", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    await expect(page.locator("#main")).to_be_hidden()
    await page.tap(f"#c-{number} a")
    await expect(page.locator("#box")).to_be_visible()
    await expect(page.locator("#list")).to_be_hidden()
    assert await _overflow(page) == []
    await page.fill("#box", "one")
    await page.press("#box", "Enter")
    await page.type("#box", "two")
    await page.tap(".send")
    await expect(page.locator("#messages .outbound .bubble")).to_have_text("one\ntwo")
    await page.tap(".back")
    await expect(page.locator("#list")).to_be_visible()
    await expect(page.locator("#main")).to_be_hidden()
    await page.go_back()
    await expect(page.locator("#box")).to_be_visible()
    for path in ("/", "/new", "/operations", "/docs"):
        await page.goto(path)
        assert await _overflow(page) == [], path


@pytest.mark.parametrize("width", [640, 768, 800, 1024])
async def test_twice_the_size_still_fits(width: int, service: Service, visit: Visit) -> None:
    """At 200 % on a laptop, or on a tablet, nothing is cut off and nothing scrolls sideways."""
    number = await service.mail(mailbox(), "Subject " * 9, "<table width=900><tr><td>wide</td></tr></table>")
    page = await visit(f"/c/{number}", viewport={"width": width, "height": 480}, device_scale_factor=2)
    assert await _overflow(page) == []
    await expect(page.locator("#box")).to_be_in_viewport()


async def test_each_text_has_its_own_direction(service: Service, visit: Visit) -> None:
    """Arabic and Hebrew run from right to left, in the list, in the thread and in the box."""
    number = await service.text(somebody(), "שלום, יש מים חמים?")
    page = await visit(f"/c/{number}")
    await expect(page.locator("#messages .bubble")).to_have_css("direction", "rtl")
    await expect(page.locator(f"#c-{number} .row-text")).to_have_css("direction", "rtl")
    await page.fill("#box", "مرحبا")
    await expect(page.locator("#box")).to_have_css("direction", "rtl")
    assert await page.evaluate("getComputedStyle(document.body).direction") == "ltr"


async def test_long_conversations_load_as_one_scrolls_up(service: Service, visit: Visit) -> None:
    """Older messages come by themselves, in order, each once, and the reader's place does not move."""
    contact = somebody()
    for n in range(260):
        number = await service.text(contact, f"line {n}")
    page = await visit(f"/c/{number}")
    bubbles = page.locator("#messages .bubble")
    await expect(bubbles).to_have_count(50)
    await expect(bubbles.last).to_be_in_viewport()
    seen = page.locator("#" + (await page.locator("#messages .message").nth(25).get_attribute("id") or ""))
    await page.locator("#scroller").evaluate("one => (one.scrollTop = -1300)")
    top = await seen.evaluate("one => one.getBoundingClientRect().top")
    await expect(bubbles).to_have_count(100)
    assert abs(await seen.evaluate("one => one.getBoundingClientRect().top") - top) < 1
    while await page.locator("#older").count():
        count = await bubbles.count()
        await page.locator("#scroller").evaluate("one => (one.scrollTop = -one.scrollHeight)")
        await expect(bubbles).not_to_have_count(count)
    assert await bubbles.all_inner_texts() == [f"line {n}" for n in range(260)]
    await expect(page.locator(".beginning")).to_be_attached()


async def test_the_first_view_is_small_and_asks_nobody_else(service: Service, visit: Visit) -> None:
    """Under 80 KB on the wire, all of it from here, and unchanged files are not asked for again."""
    number = await service.text(somebody(), "Hello")
    page = await visit("about:blank")
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 - it looks into what it calls
    await page.goto(f"{service.url}/c/{number}", wait_until="load")
    await expect(page.locator("body[data-live=on]")).to_be_attached()
    sizes = {request.url: (await request.sizes())["responseBodySize"] for request in finished}
    assert len(sizes) > 3
    assert all(url.startswith(service.url) for url in sizes)
    assert sum(sizes.values()) < 80_000, sizes
    sheet = await page.request.get(
        service.url + (await page.locator("link[rel=stylesheet]").get_attribute("href") or "")
    )
    assert "immutable" in sheet.headers["cache-control"]


async def test_an_empty_inbox_teaches(service: Service, visit: Visit) -> None:
    """Where nothing is found, the page says what to do next."""
    page = await visit("/?q=nosuchwordanywhere")
    await expect(page.locator(".empty")).to_contain_text("Nothing found")
    await page.click("text=Clear the search")
    await expect(page.locator(".row").first).to_be_visible()


async def test_times_are_those_of_the_reader(service: Service, visit: Visit) -> None:
    """The browser's time zone decides what day it is."""
    number = await service.text(somebody(), "late", timestamp="2026-01-01T23:30:00Z")
    page = await visit(f"/c/{number}", timezone_id="Pacific/Auckland")
    await expect(page.locator(".day")).to_have_text(re.compile("2 Jan"))
    await expect(page.locator("#messages time").first).to_have_text("12:30")


async def _overflow(page: Page) -> list[str]:
    """What is wider than the screen, or hangs out of it."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll('body, body *')]
            .filter((one) => one.checkVisibility() && !one.closest('pre, svg, .sr, .skip, table, iframe, .rows-scroll .row-text'))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => `${one.tagName}.${one.className}`)"""
    )
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["the page"] if wide else [])]
