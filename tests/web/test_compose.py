"""Writing: what is sent is what was meant, over the channel that was meant."""

import re
from random import Random

import pytest
from playwright.async_api import expect

from parley.core.segments import measure
from tests.web.conftest import Visit
from tests.web.service import BUSINESS, OFFICE, Service, mailbox, somebody


async def test_a_reply_by_sms(service: Service, visit: Visit) -> None:
    """Enter sends, Shift+Enter begins a line."""
    number = await service.text(somebody(), "Do you have time on Monday?")
    page = await visit(f"/c/{number}")
    await page.fill("#box", "Yes:")
    await page.press("#box", "Shift+Enter")
    await page.type("#box", "at nine?")
    await page.press("#box", "Enter")
    await expect(page.locator("#messages .outbound .bubble")).to_have_text("Yes:\nat nine?")
    await expect(page.locator("#box")).to_have_value("")
    (sent,) = await service.sent(number)
    assert (sent["channel"], sent["from"], sent["body"]) == ("sms", BUSINESS, "Yes:\nat nine?")


async def test_an_attachment_switches_the_channel(service: Service, visit: Visit) -> None:
    """A picture makes it an MMS, without it is an SMS again; and either can be chosen by hand."""
    number = await service.text(somebody(), "What does it look like?")
    page = await visit(f"/c/{number}")
    picture = f"{service.url}/static/demo/gauge.svg"
    await page.click(".attach summary")
    await page.fill(".attach-line input", picture)
    await expect(page.locator("[name=channel][value=mms]")).to_be_checked()
    await expect(page.locator(".attach-line")).to_have_count(2)
    await page.locator(".attach-line input").first.fill("")
    await expect(page.locator("[name=channel][value=sms]")).to_be_checked()
    await page.get_by_role("radio", name="MMS").check()
    await page.press("#box", "Enter")
    await expect(page.locator("#composer .wrong")).to_contain_text("An MMS needs")
    await page.locator(".attach-line input").first.fill(picture)
    await page.press("#box", "Enter")
    await expect(page.locator("#messages .outbound .picture img")).to_have_attribute("src", picture)
    (sent,) = await service.sent(number)
    assert (sent["channel"], sent["attachments"]) == ("mms", [picture])
    await page.click(".outbound .picture")
    await expect(page.locator("#viewer img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#viewer")).to_be_hidden()


async def test_an_email_with_everything(service: Service, visit: Visit) -> None:
    """The large form sends subject, copies, answers elsewhere, and HTML, to anybody."""
    to = mailbox()
    page = await visit("/")
    await page.click("text=New message")
    dialog = page.get_by_role("dialog", name="New message")
    await dialog.get_by_label("To", exact=True).fill(to)
    await dialog.get_by_label("To", exact=True).blur()
    await expect(dialog.get_by_label("Email")).to_be_checked()
    await dialog.get_by_label("From").fill(OFFICE)
    await dialog.get_by_label("Subject").fill("Your estimate")
    await dialog.get_by_label("Cc", exact=True).fill("a@example.com, b@example.com")
    await dialog.get_by_label("Bcc").fill("c@example.com")
    await dialog.get_by_label("Reply to").fill("answers@example.com")
    await dialog.get_by_label("Text").fill("<p>Dear <b>you</b></p>")
    await dialog.get_by_text("Preview").click()
    await dialog.get_by_text("Show as the recipient").click()
    await expect(page.frame_locator("iframe[name=preview]").locator("b")).to_have_text("you")
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.locator("#messages .mail h3")).to_have_text("Your estimate")
    await expect(page.frame_locator(".mail-body").locator("b")).to_have_text("you")
    number = page.url.rpartition("/")[2]
    (sent,) = await service.sent(number)
    assert sent["to"] == to
    assert (sent["cc"], sent["bcc"]) == (["a@example.com", "b@example.com"], ["c@example.com"])
    assert (sent["reply_to"], sent["subject"]) == ("answers@example.com", "Your estimate")


async def test_an_answer_by_email_keeps_the_subject(service: Service, visit: Visit) -> None:
    """The small box answers with Re:, and its text goes along into the large form."""
    number = await service.mail(mailbox(), "Knocking pipes", "Why?")
    page = await visit(f"/c/{number}")
    await expect(page.locator("#subject")).to_have_value("Re: Knocking pipes")
    await page.fill("#box", "Water hammer.")
    await page.click(".composer [data-compose]")
    dialog = page.get_by_role("dialog", name="Email")
    await expect(dialog.get_by_label("Text")).to_have_value("Water hammer.")
    await expect(dialog.get_by_label("Subject")).to_have_value("Re: Knocking pipes")
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.locator("#messages .mail")).to_have_count(2)
    await expect(page.locator("#box")).to_have_value("")


async def test_what_is_refused_comes_back_with_its_reason(service: Service, visit: Visit) -> None:
    """Nothing that somebody wrote is thrown away."""
    number = await service.text("PARLEY", "A sender id cannot receive")
    page = await visit(f"/c/{number}")
    await page.fill("#box", "Hello?")
    await page.press("#box", "Enter")
    await expect(page.locator("#composer .wrong")).to_contain_text("cannot receive")
    await expect(page.locator("#box")).to_have_value("Hello?")


async def test_drafts_survive_a_reload(service: Service, visit: Visit) -> None:
    """Each conversation keeps its own."""
    one, other = await service.text(somebody(), "one"), await service.text(somebody(), "other")
    page = await visit(f"/c/{one}")
    await page.fill("#box", "half a thought")
    await page.click(f"#c-{other} a")
    await expect(page.locator("#messages")).to_contain_text("other")
    await expect(page.locator("#box")).to_have_value("")
    await page.goto(f"/c/{one}")
    await expect(page.locator("#box")).to_have_value("half a thought")
    await page.press("#box", "Enter")
    await expect(page.locator("#messages .outbound")).to_have_count(1)
    await page.reload()
    await expect(page.locator("#box")).to_have_value("")


async def test_the_counter_turns_and_says_why(service: Service, visit: Visit) -> None:
    """A character that forces UCS-2 is named, and can be made plain."""
    number = await service.text(somebody(), "Hello")
    page = await visit(f"/c/{number}")
    counter = page.locator("#counter")
    await page.fill("#box", "It's me")
    await expect(counter).to_have_text("7 / 160")
    await page.fill("#box", "It’s me")
    await expect(counter).to_have_text(re.compile("“’” needs Unicode · 7 / 70"))
    await counter.get_by_role("button", name="Make it plain").click()
    await expect(page.locator("#box")).to_have_value("It's me")
    await expect(counter).to_have_text("7 / 160")
    await page.fill("#box", "a" * 161)
    await expect(counter).to_have_text("2 parts · 161 / 306")
    await page.fill("#box", "👋")
    await expect(counter).to_have_text("“👋” needs Unicode · 2 / 70")


@pytest.mark.parametrize("seed", range(4))
async def test_the_counter_counts_as_the_service_does(seed: int, service: Service, visit: Visit) -> None:
    """The two implementations agree on known texts and on random ones."""
    texts = [
        "", "a" * 160, "a" * 161, "€" * 80, "€" * 81, "a" * 152 + "€" * 77, "a" * 70 + "ê", "It’s {here}", "😀" * 35,
        "x" * 66 + "😀" + "x" * 66, "tab\there", "\n\r\f^{}\\[~]|", "[" * 153 * 2, "ж" * 71, "👩‍👩‍👧" * 9,
    ]  # fmt: skip
    dice = Random(seed)
    alphabet = "ab éà€[]{}~^\\|\n'’\"”ñÑçÇжאب中😀👋🏽\u200d\t"
    texts += [
        "".join(dice.choices(alphabet[: dice.randint(3, len(alphabet))], k=dice.randint(1, 500)))
        for _ in range(60)
    ]
    page = await visit("/")
    module = await page.locator("link[href*='segments.js']").get_attribute("href")
    counted = await page.evaluate(
        """async ([module, texts]) => {
            const { measure } = await import(module)
            return texts.map(measure).map((one) => [one.encoding, one.units, one.count, one.forcedBy])
        }""",
        [module, texts],
    )
    assert counted == [[m.encoding, m.units, m.count, m.forced_by] for m in map(measure, texts)]
