"""Whatever happens on the way, a message is sent once."""

from playwright.async_api import Page, Route, expect

from tests.web.conftest import Visit
from tests.web.service import BUSINESS, Service, somebody


async def test_a_double_click_sends_once(service: Service, visit: Visit) -> None:
    """However often one presses."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")
    await page.fill("#box", "Only once")
    await page.locator(".send").dblclick()
    await page.press("#box", "Enter")
    await expect(page.locator("#messages .outbound")).to_have_count(1)
    await expect(page.locator("#pending li")).to_have_count(0)
    assert len(await service.sent(number)) == 1


async def test_a_lost_answer_sends_once(service: Service, visit: Visit) -> None:
    """The service took the message but the answer never came: it is asked again with the same key."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")
    tries = await _lose_answers(page, 2)
    await page.fill("#box", "Only once")
    await page.press("#box", "Enter")
    await expect(page.locator("#pending .status")).to_have_text("No answer yet, trying again")
    await expect(page.locator("#pending li")).to_have_count(0, timeout=20_000)
    await expect(page.locator("#messages .outbound")).to_have_count(1)
    assert len(tries) == 3
    assert len(set(tries)) == 1
    assert len(await service.sent(number)) == 1


async def test_a_reload_in_the_middle_sends_once(service: Service, visit: Visit) -> None:
    """The next page takes up what the last one left on its way."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")
    tries = await _lose_answers(page, 1)
    await page.fill("#box", "Only once")
    await page.press("#box", "Enter")
    await expect(page.locator("#pending .status")).to_have_text("No answer yet, trying again")
    await page.reload()
    await expect(page.locator("#messages .outbound")).to_have_count(1)
    await expect(page.locator("#pending li")).to_have_count(0)
    assert len(set(tries)) == 1
    assert len(await service.sent(number)) == 1


async def test_a_reload_in_the_middle_of_a_new_message_sends_once(service: Service, visit: Visit) -> None:
    """The large form forgets what is on its way, and remembers what was refused."""
    to, page = somebody(), await visit("/new")
    tries = await _lose_answers(page, 2)
    await page.get_by_label("To", exact=True).fill(to)
    await page.get_by_label("From").fill(BUSINESS)
    await page.get_by_label("Text").fill("Only once")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".wrong")).to_have_text("No answer yet, trying again")
    await page.goto("/")
    number = await page.locator(".row", has_text="Only once").first.get_attribute("data-id")
    await expect(page.locator(f"#c-{number}")).to_be_visible()
    await page.click("text=New message")
    await expect(page.get_by_role("dialog").get_by_label("Text")).to_have_value("")
    assert len(set(tries)) == 1
    assert len(await service.sent(number or "")) == 1
    await page.get_by_role("dialog").get_by_label("To", exact=True).fill("nobody")
    await page.get_by_role("dialog").get_by_label("From").fill(BUSINESS)
    await page.get_by_role("dialog").get_by_label("Text").fill("Cannot be sent")
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(page.get_by_role("dialog").locator(".wrong")).to_contain_text("to:")
    await page.reload()
    await page.click("text=New message")
    await expect(page.get_by_role("dialog").get_by_label("Text")).to_have_value("Cannot be sent")


async def test_a_message_that_was_never_sent_waits_for_the_service(service: Service, visit: Visit) -> None:
    """While the service is away messages wait in their order, and none is lost."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/api/messages/send", refuse)
    for text in ("one", "two"):
        await page.fill("#box", text)
        await page.press("#box", "Enter")
    await expect(page.locator("#pending .bubble")).to_have_text(["one", "two"])
    await page.unroute("**/api/messages/send")
    await expect(page.locator("#messages .outbound .bubble")).to_have_text(["one", "two"], timeout=20_000)
    assert [message["body"] for message in await service.sent(number)] == ["one", "two"]


async def test_an_old_message_on_its_way_is_only_sent_on_demand(service: Service, visit: Visit) -> None:
    """Nobody wants "I am there in five minutes" sent on the next day."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")
    await page.evaluate(
        """number => localStorage.setItem('parley:outbox:old', JSON.stringify({ key: 'old', at: Date.now() - 3600000,
            conversation: number, order: { from: '+12015550100', to: '+12015550199', type: 'sms', body: 'stale',
            attachments: [] } }))""",
        number,
    )
    await page.reload()
    await expect(page.locator("#pending .status")).to_have_text("Not sent yet")
    await page.get_by_role("button", name="Discard").click()
    await page.reload()
    await expect(page.locator("#box")).to_be_visible()
    await expect(page.locator("#pending li")).to_have_count(0)
    assert await service.sent(number) == []


async def _lose_answers(page: Page, times: int) -> list[str]:
    """Let messages through to the service, but some answers not back; the keys that were used."""
    keys: list[str] = []

    async def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        answer = await route.fetch()
        await (route.abort() if len(keys) <= times else route.fulfill(response=answer))

    await page.context.route("**/api/messages/send", lose)
    return keys
