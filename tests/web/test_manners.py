"""Keyboard, sizes, colours, directions: whoever comes can work with the page."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.web.conftest import Visit
from tests.web.service import Service, mailbox, somebody


async def test_everything_can_be_done_with_the_keyboard(service: Service, visit: Visit) -> None:
    """Move, open, answer, close, search, ask for help, write to somebody new."""
    contact = somebody()
    await service.text(contact, "second")
    number = await service.text(somebody(), "first")
    page = await visit("/")
    keys = page.keyboard
    await keys.press("j")
    await expect(page.locator(f"#c-{number} a")).to_be_focused()
    await keys.press("j")
    await keys.press("k")
    await keys.press("Enter")
    await expect(page.locator("#messages .bubble")).to_have_text(["first"])
    await keys.press("r")
    await expect(page.locator("#box")).to_be_focused()
    await keys.type("e? no: j k / are letters here")
    await keys.press("Enter")
    await expect(page.locator("#messages .outbound .bubble")).to_have_text("e? no: j k / are letters here")
    await keys.press("Escape")
    await keys.press("e")
    await expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    await keys.press("e")
    await expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()
    await keys.press("u")
    await expect(page.locator(f"#c-{number} .row-unread")).to_be_visible()
    await keys.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await keys.press("Escape")
    await expect(page.locator("#help")).to_be_hidden()
    await keys.press("n")
    await expect(page.get_by_role("dialog", name="New message")).to_be_visible()
    await expect(page.get_by_label("To", exact=True)).to_be_focused()
    await keys.press("Escape")
    await expect(page.locator("#compose")).to_have_count(0)
    await keys.press("/")
    await expect(page.locator("#q")).to_be_focused()


async def test_the_focus_is_always_seen_and_follows_the_page(service: Service, visit: Visit) -> None:
    """Tabbing goes from the list to the conversation, and every stop has a mark."""
    number = await service.text(somebody(), "Hello https://example.com")
    page = await visit(f"/c/{number}")
    stops: list[dict[str, Any]] = []
    for _ in range(300):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect()
                const form = one.closest('.composer')
                const seen = style.outlineStyle !== 'none' || (form && getComputedStyle(one.closest('.composer-foot') ??
                    form.querySelector('textarea')).borderTopColor !== '')
                return { id: one.id, tag: one.tagName, seen: Boolean(seen), x: box.x, y: box.y, inPane: !!one.closest('#main') }
            }"""
        )
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
    assert stops
    assert all(stop["seen"] for stop in stops if stop["id"] not in ("box", "subject"))
    panes = [stop["inPane"] for stop in stops]
    assert panes == sorted(panes)
    assert "box" in [stop["id"] for stop in stops]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_contrast_suffices(scheme: str, service: Service, visit: Visit) -> None:
    """Every text that is seen has 4.5 to 1 against what is behind it, 3 to 1 where it is large."""
    contact = somebody()
    await service.send("+15005530006", "fails")
    number = await service.text(contact, "In https://example.com")
    await service.send(contact, "Out https://example.com")
    letter = await service.mail(
        mailbox(), "Subject", "> quoted\n\ntext", attachments=["https://example.com/a.pdf"]
    )
    failing = (await service.send("+15005530006", "fails"))["conversation_id"]
    for path in (f"/c/{number}", f"/c/{letter}", f"/c/{failing}", "/operations", "/docs", "/new", "/?q=In"):
        page = await visit(path, color_scheme=scheme)
        await expect(page.locator("h1").first).to_be_attached()
        faint = await page.evaluate(CONTRAST)
        assert faint == [], f"{path}: {json.dumps(faint[:5], indent=1)}"


@pytest.mark.parametrize("path", ["/", "thread", "letter", "/new", "/operations", "/docs"])
async def test_structure_is_told_to_who_does_not_see_it(path: str, service: Service, visit: Visit) -> None:
    """Names, labels, landmarks, headings, unique ids: what a checker would call serious."""
    if path == "thread":
        path = "/c/" + await service.text(
            somebody(), "x", type="mms", attachments=[f"{service.url}/static/icon.svg"]
        )
    if path == "letter":
        path = "/c/" + await service.mail(mailbox(), "Subject", "<p>Hi</p>")
    page = await visit(path)
    await expect(page.locator("main")).to_be_attached()
    assert await page.evaluate(STRUCTURE) == []


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


async def test_twice_the_size_still_fits(service: Service, visit: Visit) -> None:
    """At 200 % on a small laptop nothing is cut off and nothing scrolls sideways."""
    number = await service.mail(mailbox(), "Subject", "<table width=900><tr><td>wide</td></tr></table>")
    page = await visit(f"/c/{number}", viewport={"width": 640, "height": 400}, device_scale_factor=2)
    assert await _overflow(page) == []
    await expect(page.locator("#box")).to_be_in_viewport()


async def test_motion_stops_for_who_wants_it(service: Service, visit: Visit) -> None:
    """Nothing glides and nothing fades."""
    contact = somebody()
    await service.text(contact, "one")
    number = await service.text(somebody(), "two")
    page = await visit(f"/c/{number}", reduced_motion="reduce")
    await expect(page.locator("body[data-live=on]")).to_be_attached()
    await service.text(contact, "three")
    await expect(page.locator(".row").first).to_contain_text("three")
    assert await page.evaluate("document.getAnimations().length") == 0


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
    sizes: dict[str, int] = {}

    async def weigh(response: Any) -> None:
        if "/api/events" not in response.url:
            sizes[response.url] = (await response.request.sizes())["responseBodySize"]

    page.on("response", weigh)
    await page.goto(f"{service.url}/c/{number}", wait_until="load")
    await expect(page.locator("body[data-live=on]")).to_be_attached()
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


CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1)
        canvas.fillStyle = colour
        canvas.fillRect(0, 0, 1, 1)
        return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const over = ([r, g, b, a], [R, G, B]) => [r, g, b].map((c, n) => (c * a + [R, G, B][n] * (255 - a)) / 255)
    const behind = (one) => {
        const layers = []
        for (let up = one; up; up = up.parentElement) {
            const colour = rgba(getComputedStyle(up).backgroundColor)
            if (colour[3]) layers.push(colour)
            if (colour[3] === 255) break
        }
        return layers.reverse().reduce((base, layer) => over(layer, base), rgba('Canvas'))
    }
    const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4))
        .reduce((sum, c, n) => sum + c * [.2126, .7152, .0722][n], 0)
    const faint = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const one = walker.currentNode.parentElement
        if (!walker.currentNode.textContent.trim() || one.closest('.sr, .skip, template, svg')) continue
        if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
        const style = getComputedStyle(one), base = behind(one)
        const [a, b] = [light(over(rgba(style.color), base)), light(base)].sort((x, y) => y - x)
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
        const ratio = (a + .05) / (b + .05)
        if (ratio < (large ? 3 : 4.5)) faint.push({ text: walker.currentNode.textContent.trim().slice(0, 40), ratio, of: one.className })
    }
    return faint
}"""

STRUCTURE = """() => {
    const wrong = []
    const named = (one) => (one.ariaLabel || one.getAttribute('aria-labelledby')?.split(' ')
        .map((id) => document.getElementById(id)?.textContent).join(' ') || one.title
        || [...(one.labels ?? [])].map((label) => label.textContent).join(' ') || one.textContent
        || [...one.querySelectorAll('[aria-label], img[alt]')].map((inner) => inner.ariaLabel ?? inner.alt).join(' ')).trim()
    const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => !one.closest('template'))
    for (const one of all('a[href], button, summary, input:not([type=hidden]), textarea, select, iframe, dialog, [role=region], [role=img]'))
        if (!named(one)) wrong.push(`without a name: ${one.outerHTML.slice(0, 120)}`)
    for (const one of all('img:not([alt])')) if (!one.closest('dialog')) wrong.push(`picture without words: ${one.outerHTML.slice(0, 90)}`)
    for (const one of all('svg')) if (!one.closest('[aria-hidden=true]') && one.getAttribute('role') !== 'img')
        wrong.push(`svg that is neither hidden nor named: ${one.outerHTML.slice(0, 90)}`)
    const ids = all('[id]').map((one) => one.id)
    for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) wrong.push(`two of #${id}`)
    for (const one of all('[aria-labelledby], [aria-describedby], [for]'))
        for (const id of (one.getAttribute('aria-labelledby') ?? one.getAttribute('aria-describedby') ?? one.getAttribute('for')).split(' '))
            if (!document.getElementById(id)) wrong.push(`refers to #${id}, which is not there`)
    const levels = all('h1, h2, h3, h4').filter((one) => one.checkVisibility() && !one.closest('dialog')).map((one) => Number(one.tagName[1]))
    if (levels.filter((level) => level === 1).length !== 1) wrong.push(`${levels.filter((l) => l === 1).length} first headings`)
    levels.reduce((before, level) => { if (level > before + 1) wrong.push(`heading ${level} after ${before}`); return level }, 0)
    if (all('main').length !== 1) wrong.push('not one main')
    const landmarks = all('nav, aside, section[aria-label], form[role=search]').map((one) => `${one.tagName} ${named(one).slice(0, 30)}`)
    for (const one of new Set(landmarks.filter((name, n) => landmarks.indexOf(name) !== n))) wrong.push(`two landmarks ${one}`)
    if (document.documentElement.lang !== 'en') wrong.push('no language')
    if (!document.title) wrong.push('no title')
    for (const list of all('ul, ol')) for (const child of list.children) if (child.tagName !== 'LI') wrong.push(`${child.tagName} in a list`)
    for (const one of all('[tabindex]')) if (Number(one.getAttribute('tabindex')) > 0) wrong.push('a positive tabindex')
    for (const one of all('a a, button a, a button')) wrong.push(`interactive within interactive: ${one.outerHTML.slice(0, 80)}`)
    for (const one of all('.row a, .button, .round, .send, .small, .switch span, .tabs a')) {
        const box = one.getBoundingClientRect()
        if (box.width && (box.height < 24 || box.width < 24)) wrong.push(`too small to hit: ${one.outerHTML.slice(0, 80)}`)
    }
    return wrong
}"""
