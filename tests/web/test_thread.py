"""Reading a conversation."""

from playwright.async_api import expect

from tests.web.conftest import Visit
from tests.web.service import Service, somebody


async def test_a_conversation_opens_beside_the_list(service: Service, visit: Visit) -> None:
    """A click on a row shows its messages, without the list going away, and the address says where one is."""
    contact = somebody()
    number = await service.text(contact, "My tap drips")
    page = await visit("/")
    await page.click(f"#c-{number} a")
    await expect(page.locator("#messages .bubble")).to_have_text(["My tap drips"])
    await expect(page.locator(f"#c-{number} a")).to_have_attribute("aria-current", "page")
    assert page.url == f"{service.url}/c/{number}"
