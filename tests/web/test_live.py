"""Everything that happens is on every open page, once, whatever becomes of the connection."""

import re

from playwright.async_api import Locator, Page, expect

from tests.web.conftest import Visit
from tests.web.line import Line
from tests.web.service import Service, mailbox, somebody


async def test_a_message_appears_in_two_pages(service: Service, visit: Visit) -> None:
    """Within a second, in the thread and in the list, and the list is in order again."""
    contact, other = somebody(), somebody()
    number = await service.text(contact, "First")
    above = await service.text(other, "Somebody else")
    one, two = await visit(f"/c/{number}"), await visit("/")
    await expect(two.locator(".row").first).to_have_id(f"c-{above}")
    await _connected(one, two)
    await service.text(contact, "And second")
    await expect(one.locator("#messages .bubble")).to_have_text(["First", "And second"], timeout=1500)
    await expect(two.locator(".row").first).to_have_id(f"c-{number}", timeout=1500)
    await expect(two.locator(f"#c-{number} .row-text")).to_have_text("And second")
    await expect(two.locator(f"#c-{number}")).to_have_count(1)


async def test_a_status_ticks_over(service: Service, visit: Visit) -> None:
    """What the provider says of a message is told below it, without a reload."""
    number = await service.text(somebody(), "Hello?")
    page = await visit(f"/c/{number}")
    await page.fill("#box", "We are here")
    await page.press("#box", "Enter")
    await expect(page.locator(".outbound .status")).to_have_text("Delivered", timeout=10_000)
    await page.click(".outbound .story summary")
    await expect(page.locator(".attempts .outcome").last).to_have_text("Accepted")


async def test_a_refusal_gives_its_reason_and_can_be_tried_again(service: Service, visit: Visit) -> None:
    """A failure is said in the provider's words."""
    sent = await service.send("+15005530006", "Is this a landline?")
    page = await visit(f"/c/{sent['conversation_id']}")
    message = page.locator(f"#m-{sent['message_id']}")
    await expect(message.locator(".reason")).to_contain_text("Landline or unreachable carrier")
    await expect(message.locator(".status")).to_have_text("Not delivered")
    await expect(page.locator(f"#c-{sent['conversation_id']} .row-failed")).to_be_visible()
    await message.get_by_role("button", name="Try again").click()
    await message.locator(".story summary").click()
    await expect(message.locator(".attempts li").nth(1)).to_be_visible()


async def test_what_waits_can_be_taken_back(service: Service, visit: Visit) -> None:
    """While no provider has it, a message can be cancelled."""
    await service.faults(ratelimit_pct=100)
    try:
        sent = await service.send(somebody(), "On second thoughts")
        page = await visit(f"/c/{sent['conversation_id']}")
        message = page.locator(f"#m-{sent['message_id']}")
        await message.get_by_role("button", name="Cancel").click()
        await expect(message.locator(".status")).to_have_text("Cancelled")
        await expect(message.get_by_role("button", name="Cancel")).to_have_count(0)
    finally:
        await service.faults(ratelimit_pct=0)


async def test_what_was_missed_comes_after_a_broken_connection(service: Service, visit: Visit) -> None:
    """Nothing is missed and nothing doubled when the line is cut and mended."""
    contact = somebody()
    number = await service.text(contact, "0")
    async with Line(service.url) as line:
        page = await visit(f"{line.url}/c/{number}")
        await _connected(page)
        await service.text(contact, "1")
        await expect(page.locator("#messages .bubble")).to_have_count(2)
        line.cut()
        await expect(page.locator("#connection")).to_be_visible()
        for n in range(2, 8):
            await service.text(contact, str(n))
        await service.text(somebody(), "A stranger")
        line.mend()
        await expect(page.locator("#messages .bubble")).to_have_text(
            [str(n) for n in range(8)], timeout=20_000
        )
        await expect(page.locator("#connection")).to_be_hidden()
        await expect(page.locator(".row").first).to_contain_text("A stranger")


async def test_a_hidden_page_rests_and_catches_up(service: Service, visit: Visit) -> None:
    """The stream is closed while nobody looks, and goes on where it was."""
    contact = somebody()
    number = await service.text(contact, "0")
    page = await visit(f"/c/{number}")
    await _connected(page)
    streams = await _count_streams(page)
    await _hide(page, hidden=True)
    await service.text(contact, "1")
    await expect(page.locator("#messages .bubble")).to_have_count(1)
    await _hide(page, hidden=False)
    await expect(page.locator("#messages .bubble")).to_have_text(["0", "1"])
    assert len(streams) == 1


async def test_late_messages_find_their_place(service: Service, visit: Visit) -> None:
    """A message that is older than what is shown is put where it belongs."""
    contact = somebody()
    number = await service.text(contact, "early", timestamp="2026-01-01T10:00:00Z")
    await service.text(contact, "late", timestamp="2026-01-03T10:00:00Z")
    page = await visit(f"/c/{number}")
    await _connected(page)
    await service.text(contact, "between", timestamp="2026-01-02T10:00:00Z")
    await expect(page.locator("#messages .bubble")).to_have_text(["early", "between", "late"])
    await expect(page.locator("#messages .day")).to_have_count(3)


async def test_the_reader_keeps_his_place(service: Service, visit: Visit) -> None:
    """Who has scrolled up is not moved by what comes, but told of it; who is at the end stays there."""
    contact = somebody()
    for n in range(45):
        number = await service.text(contact, f"Line {n}\n\nand more")
    page = await visit(f"/c/{number}")
    await _connected(page)
    scroller = page.locator("#scroller")
    await expect(page.locator("#messages .bubble").last).to_be_in_viewport()
    await scroller.evaluate("one => (one.scrollTop = -700)")
    anchor = page.locator("#messages .bubble").nth(28)
    before = await _top(anchor)
    await service.text(contact, "Something new")
    await expect(page.locator("#to-end")).to_be_visible()
    assert abs(await _top(anchor) - before) < 1
    await page.click("#to-end")
    await expect(page.get_by_text("Something new").last).to_be_in_viewport()
    await expect(page.locator("#to-end")).to_be_hidden()
    await service.text(contact, "Even newer")
    await expect(page.locator("#messages .bubble").last).to_be_in_viewport()


async def test_a_closed_conversation_is_closed_on_every_page(service: Service, visit: Visit) -> None:
    """State is shared: what one closes, the other sees closed, and an answer opens it again."""
    contact = somebody()
    number = await service.text(contact, "Thanks, bye")
    one, two = await visit(f"/c/{number}"), await visit(f"/c/{number}")
    await _connected(one, two)
    await one.get_by_role("button", name="Close", exact=True).click()
    for page in (one, two):
        await expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    await service.text(contact, "One more thing")
    for page in (one, two):
        await expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()


async def test_unread_is_counted_and_what_is_seen_is_read(service: Service, visit: Visit) -> None:
    """The title and the row say how many; opening a conversation on a visible page reads it."""
    contact, writer = somebody(), mailbox()
    number = await service.text(contact, "Anybody there?")
    letter = await service.mail(writer, "Question", "Hello?")
    page = await visit("/")
    await expect(page.locator(f"#c-{number} .row-unread")).to_contain_text("1")
    await expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    await page.click(f"#c-{letter} a")
    await expect(page.locator(f"#c-{letter} .row-unread")).to_have_count(0)
    assert (await service.get(f"/api/conversations/{letter}"))["unread_count"] == 0
    await service.mail(writer, "Re: Question", "Still there?")
    await expect(page.locator("#messages .message")).to_have_count(2)
    await expect(page.locator(f"#c-{letter} .row-text")).to_contain_text("Still there?")
    await expect(page.locator(f"#c-{letter} .row-unread")).to_have_count(0)
    await page.get_by_role("button", name="Mark as unread").click()
    await expect(page.locator(f"#c-{letter} .row-unread")).to_contain_text("1")


async def test_a_burst_of_messages_arrives_whole(service: Service, visit: Visit) -> None:
    """Hundreds at once are merged, not each fetched by itself."""
    contact = somebody()
    number = await service.text(contact, "start")
    page = await visit(f"/c/{number}")
    await _connected(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for n in range(150):
        await service.text(contact, f"message {n}")
    await expect(page.locator("#messages .bubble").last).to_have_text("message 149")
    assert len([url for url in asked if "/messages?" in url]) < 150
    keys = await page.locator("#messages > li").evaluate_all("all => all.map(one => one.dataset.key)")
    assert keys == sorted(set(keys))


async def _connected(*pages: Page) -> None:
    for page in pages:
        await expect(page.locator("body[data-live=on]")).to_be_attached()


async def _top(one: Locator) -> float:
    return float(await one.evaluate("one => one.getBoundingClientRect().top"))


async def _count_streams(page: Page) -> list[str]:
    streams: list[str] = []
    page.on("request", lambda request: streams.extend([request.url] * ("/api/events" in request.url)))
    return streams


async def _hide(page: Page, *, hidden: bool) -> None:
    """Make a page believe that its tab was left or chosen."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
            document.dispatchEvent(new Event('visibilitychange'))
        }""",
        hidden,
    )
