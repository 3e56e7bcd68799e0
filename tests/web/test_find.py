"""Finding conversations."""

from playwright.async_api import expect

from tests.web.conftest import Visit
from tests.web.service import Service, mailbox, somebody


async def test_words_names_and_addresses_are_found_and_marked(service: Service, visit: Visit) -> None:
    """As one types, with the query in the address, and the hits marked."""
    word = f"quokka{somebody()[-4:]}"
    number = await service.text(somebody(), f"There is a <b>{word}</b> on the roof")
    letter = await service.mail(f'"{word.title()} Q." <{mailbox()}>', "Hello", "Nothing special")
    await service.indexed(word)
    page = await visit("/")
    await page.keyboard.press("/")
    await page.keyboard.type(word[:-1])
    await expect(page.locator(f"#c-{number} mark")).to_have_text(word)
    await expect(page.locator(f"#c-{number} .row-text")).to_contain_text(f"<b>{word}</b>")
    await expect(page.locator(f"#c-{letter} .row-name mark")).to_have_text(word.title())
    await expect(page.locator("#q")).to_be_focused()
    assert page.url.endswith(f"?q={word[:-1]}")
    await page.click(".channels a[href*='channel=email']")
    await expect(page.locator(".row")).to_have_count(1)
    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    await page.locator("#q").press("Escape")
    await expect(page.locator("#q")).to_have_value("")


async def test_a_hit_leads_to_its_message(service: Service, visit: Visit) -> None:
    """However long ago it was, with what was said around it, and from there back to the present."""
    contact, word = somebody(), f"numbat{somebody()[-4:]}"
    for n in range(130):
        number = await service.text(contact, f"The {word} is here" if n == 20 else f"line {n}")
    await service.indexed(word)
    page = await visit(f"/?q={word}")
    await page.click(f"#c-{number} a")
    await expect(page.locator(".message.found .bubble")).to_have_text(f"The {word} is here")
    await expect(page.locator(".message.found")).to_be_in_viewport()
    await expect(page.get_by_text("line 21", exact=True)).to_be_visible()
    await service.text(contact, "News")
    await page.click("#to-end")
    await expect(page.locator("#messages .bubble").last).to_have_text("News")
    await expect(page.locator("#newer")).to_have_count(0)


async def test_a_search_stays_while_things_happen(service: Service, visit: Visit) -> None:
    """New messages do not push into what was found, reading takes the mark away, and a step back comes back."""
    word = f"okapi{somebody()[-4:]}"
    number = await service.text(somebody(), f"An {word}")
    await service.indexed(word)
    page = await visit("/")
    await page.fill("#q", word)
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.locator(f"#c-{number} .row-unread")).to_be_visible()
    await service.text(somebody(), "Something else")
    await page.click(f"#c-{number} a")
    await expect(page.locator(f"#c-{number} .row-unread")).to_have_count(0)
    await expect(page.locator(f"#c-{number} mark")).to_have_text(word)
    await expect(page.locator(".row")).to_have_count(1)
    await page.go_back()
    await expect(page.locator("#q")).to_have_value(word)
    await expect(page.locator("#messages")).to_have_count(0)


async def test_filters_keep_the_list_to_what_belongs(service: Service, visit: Visit) -> None:
    """A conversation that is closed leaves the list of open ones, and comes back with an answer."""
    contact = somebody()
    number = await service.text(contact, "Hello")
    page = await visit("/")
    await expect(page.locator("body[data-live=on]")).to_be_attached()
    await service.post(f"/api/conversations/{number}/close")
    await expect(page.locator(f"#c-{number}")).to_have_count(0)
    await service.text(contact, "Again")
    await expect(page.locator(f"#c-{number}")).to_have_count(1)
    await page.click(".tabs a:has-text('Unread')")
    await expect(page.locator(f"#c-{number}")).to_have_count(1)
    await page.click(f"#c-{number} a")
    await expect(page.locator("#messages .bubble")).to_have_count(2)
    await expect(page.locator(f"#c-{number}")).to_have_count(1)


async def test_the_list_goes_on_as_one_scrolls(service: Service, visit: Visit) -> None:
    """Older conversations come by themselves, each once."""
    numbers = {await service.text(somebody(), f"list {n}") for n in range(45)}
    page = await visit("/?channel=sms")
    rows = page.locator(".row")
    while (count := await rows.count()) and await page.locator("#more-rows").count():
        await page.locator(".rows-scroll").evaluate("one => (one.scrollTop = one.scrollHeight)")
        await expect(rows).not_to_have_count(count)
    ids = await rows.evaluate_all("all => all.map(one => one.dataset.id)")
    assert len(ids) == len(set(ids))
    assert numbers <= set(ids)
