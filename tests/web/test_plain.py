"""The pages without JavaScript: everything that matters works with links and forms."""

from playwright.async_api import Page, expect

from tests.web.conftest import Visit
from tests.web.service import BUSINESS, OFFICE, Service, mailbox, somebody


async def test_reading_and_answering(service: Service, visit: Visit) -> None:
    """From the list to a conversation, an answer, and back."""
    number = await service.text(somebody(), "Can you hear me?")
    page = await _plain(visit, "/")
    await page.click(f"#c-{number} a")
    await expect(page.locator("#messages .bubble")).to_have_text(["Can you hear me?"])
    await page.fill("#box", "Loud and\nclear")
    await page.click(".send")
    await expect(page.locator("#messages .outbound .bubble")).to_have_text("Loud and\nclear")
    (sent,) = await service.sent(number)
    assert sent["body"] == "Loud and\nclear"
    assert page.url.endswith(f"/c/{number}#m-{sent['id']}")


async def test_a_form_that_is_sent_again_sends_once(service: Service, visit: Visit) -> None:
    """Going back and pressing again: the key stands in the form."""
    number = await service.text(somebody(), "Hello")
    page = await _plain(visit, f"/c/{number}")
    key = await page.locator("#composer [name=key]").get_attribute("value")
    form: dict[str, str | float | bool] = {
        "key": key or "",
        "channel": "sms",
        "from": BUSINESS,
        "to": "+18625550999",
        "body": "Once",
    }
    answers = [await page.request.post(f"{service.url}/send", form=form, max_redirects=0) for _ in range(3)]
    assert [answer.status for answer in answers] == [303, 303, 303]
    assert len({answer.headers["location"] for answer in answers}) == 1


async def test_what_is_refused_keeps_its_text(service: Service, visit: Visit) -> None:
    """The page comes back with the reason and with all that was written."""
    number = await service.text(somebody(), "Hello")
    page = await _plain(visit, f"/c/{number}")
    await page.get_by_role("radio", name="MMS").check()
    await page.fill("#box", "See the picture")
    await page.click(".send")
    await expect(page.locator("#composer .wrong")).to_contain_text("an MMS needs at least one")
    await expect(page.locator("#box")).to_have_value("See the picture")
    await expect(page.get_by_role("radio", name="MMS")).to_be_checked()
    await page.click(".attach summary")
    await page.fill("[name=attachments]", f"{service.url}/static/demo/leak.svg")
    await page.click(".send")
    await expect(page.locator(".outbound .picture")).to_be_visible()


async def test_a_new_email_with_preview(service: Service, visit: Visit) -> None:
    """The large form is a page of its own."""
    page = await _plain(visit, "/")
    await page.click("text=New message")
    await page.get_by_label("Email").check()
    await page.get_by_label("To", exact=True).fill(mailbox())
    await page.get_by_label("From").fill(OFFICE)
    await page.get_by_label("Subject").fill("Plain")
    await page.get_by_label("Text").fill("<p>As <i>is</i></p>")
    await page.click(".preview summary")
    await page.click(".preview button")
    await expect(page.frame_locator("iframe[name=preview]").locator("i")).to_have_text("is")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#messages .mail h3")).to_have_text("Plain")
    await expect(page.frame_locator(".mail-body").locator("i")).to_have_text("is")


async def test_searching_and_filtering(service: Service, visit: Visit) -> None:
    """The query is in the address, and the filters are links."""
    word = f"zebra{somebody()[-4:]}"
    number = await service.text(somebody(), f"A {word} in the garden")
    await service.indexed(word)
    page = await _plain(visit, "/")
    await page.fill("#q", word)
    await page.press("#q", "Enter")
    await expect(page.locator(f"#c-{number} mark")).to_have_text(word)
    await page.click(".tabs a:has-text('Closed')")
    await expect(page.locator(".empty")).to_contain_text("Nothing found")
    assert f"q={word}" in page.url


async def test_closing_reopening_and_older_pages(service: Service, visit: Visit) -> None:
    """State by forms, the past by links."""
    contact = somebody()
    for n in range(60):
        number = await service.text(contact, f"line {n}")
    page = await _plain(visit, f"/c/{number}")
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    await page.get_by_role("button", name="Reopen").click()
    await expect(page.get_by_role("button", name="Close")).to_be_visible()
    await page.click("text=Older messages")
    await expect(page.locator("#messages .bubble").first).to_have_text("line 0")
    await page.click("text=Newest messages")
    await expect(page.locator("#messages .bubble").last).to_have_text("line 59")


async def test_trying_again_and_the_story(service: Service, visit: Visit) -> None:
    """A message that failed has a page with its attempts, and a button."""
    sent = await service.send("+15005530005", "Nobody there")
    page = await _plain(visit, f"/c/{sent['conversation_id']}")
    message = page.locator(f"#m-{sent['message_id']}")
    for _ in range(50):
        if await message.locator(".reason").count():
            break
        await page.reload()
    await message.locator(".story summary").click()
    await message.get_by_role("link", name="Delivery history").click()
    await expect(page.locator(".attempts .outcome")).to_have_text("Accepted")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(f"#m-{sent['message_id']}")).to_be_visible()


async def _plain(visit: Visit, path: str) -> Page:
    return await visit(path, java_script_enabled=False)
