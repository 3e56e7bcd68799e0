"""Whoever comes can work with the page: with the keyboard, with little sight, with none."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.web.checks import CONTRAST, STRUCTURE
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
