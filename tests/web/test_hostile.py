"""What others wrote runs nothing and reaches nobody, whatever it looks like."""

import pytest
from playwright.async_api import Page, expect

from tests.web.conftest import Visit
from tests.web.payloads import ADDRESSES, TEXTS, URLS
from tests.web.service import BUSINESS, Service, mailbox, somebody


async def _watched(visit: Visit) -> tuple[Page, list[str]]:
    """A page in which `struck` tells on whoever calls it, and that notes where requests go."""
    page = await visit("about:blank")
    struck: list[str] = []
    await page.context.expose_function("struck", lambda: struck.append("a script ran"))
    page.on("dialog", lambda dialog: struck.append(f"dialog {dialog.message}"))
    page.on("request", lambda request: struck.extend([request.url] * ("127.0.0.1:9/" in request.url)))
    return page, struck


async def _look(page: Page, service: Service, number: str) -> None:
    """Read, open, hover and click all there is."""
    await page.goto(f"{service.url}/c/{number}")
    await expect(page.locator(".message").first).to_be_attached()
    for frame in await page.query_selector_all("iframe"):
        await frame.scroll_into_view_if_needed()
        inner = await frame.content_frame()
        assert inner is not None
        await inner.wait_for_load_state("load")
        assert (
            await inner.locator("script, [onerror], [onload], [onclick], iframe, form, style ~ style").count()
            == 0
        )
    for link in await page.query_selector_all(".bubble a, .files a, .file"):
        await link.hover()
        href = await link.get_attribute("href")
        assert href is None or href.startswith(("http://", "https://"))


@pytest.mark.parametrize("where", ["sms", "email", "subject", "html"])
async def test_a_stored_text_is_only_ever_text(where: str, service: Service, visit: Visit) -> None:
    """Bodies, subjects and mails in HTML: in the list, in the thread, in the title and in the search."""
    page, struck = await _watched(visit)
    contact = somebody() if where == "sms" else mailbox()
    number = ""
    for text in TEXTS:
        if where == "sms":
            number = await service.text(contact, text)
        elif where == "subject":
            number = await service.mail(contact, text, "See above")
        else:
            body = text if where == "email" else f"<p>Dear <b>all</b>,</p>{text}<p>bye</p>"
            number = await service.mail(contact, "Hello", body)
    await _look(page, service, number)
    await page.goto(f"{service.url}/?q=struck")
    await page.wait_for_load_state("networkidle")
    assert struck == []
    if where == "sms":
        await page.goto(f"{service.url}/c/{number}")
        shown = await page.locator("#messages .bubble").all_inner_texts()
        assert "<script>struck()</script>" in shown


async def test_a_hostile_attachment_address_is_shown_but_leads_nowhere(
    service: Service, visit: Visit
) -> None:
    """Only http and https become links or pictures."""
    page, struck = await _watched(visit)
    contact, writer = somebody(), mailbox()
    for url in URLS:
        number = await service.text(contact, "look", type="mms", attachments=[url])
        letter = await service.mail(writer, "look", "see attachment", attachments=[url])
    await _look(page, service, number)
    await _look(page, service, letter)
    assert struck == []


async def test_a_hostile_name_is_only_a_name(service: Service, visit: Visit) -> None:
    """What stands before an address in a mail's From."""
    page, struck = await _watched(visit)
    for name in ADDRESSES:
        number = await service.mail(name.replace("{mailbox}", mailbox()), "Hello", "text")
        await _look(page, service, number)
    await page.goto(service.url)
    assert struck == []


async def test_what_we_send_is_no_exception(service: Service, visit: Visit) -> None:
    """Our own texts come back escaped, too: a colleague may have pasted anything."""
    page, struck = await _watched(visit)
    contact = somebody()
    for text in TEXTS:
        number = (await service.send(contact, text))["conversation_id"]
    await _look(page, service, number)
    await page.fill("#box", TEXTS[0])
    await page.press("#box", "Enter")
    await expect(page.locator("#pending li")).to_have_count(0)
    assert struck == []


async def test_the_preview_runs_nothing(service: Service, visit: Visit) -> None:
    """The editor shows HTML as the recipient will see it, in a frame where nothing runs."""
    page, struck = await _watched(visit)
    await page.goto(f"{service.url}/new?to={mailbox()}")
    await page.fill("#compose-body", "<p>Fine</p>" + "".join(TEXTS))
    await page.click(".preview summary")
    await page.click(".preview button")
    await page.frame_locator("iframe[name=preview]").get_by_text("Fine").wait_for()
    assert struck == []


async def test_hostile_queries_are_only_text(service: Service, visit: Visit) -> None:
    """What stands in the address comes back escaped."""
    page, struck = await _watched(visit)
    for text in (*TEXTS, *URLS):
        answer = await page.request.get(
            f"{service.url}/", params={"q": text, "channel": text, "state": text, "cursor": ""}
        )
        assert answer.status == 200
        assert "<script>struck" not in await answer.text()
    await page.goto(f"{service.url}/?q={TEXTS[0]}")
    assert struck == []


@pytest.mark.parametrize(
    "path", ["/", "/new", "/docs", "/c/99999999999999999999", "/c/%00", "/m/x", "/m/x/body", "/static/../pages.py",
             "/?cursor=%00", "/?cursor=AAAA", "/rows?id=-1", "/rows?id=9999999999999999999", "/c/1/messages?before=x"],
)  # fmt: skip
async def test_no_address_breaks_the_service(path: str, service: Service, visit: Visit) -> None:
    """Odd addresses get a page that says so."""
    page = await visit("about:blank")
    answer = await page.request.get(service.url + path)
    assert answer.status in (200, 400, 404)


async def test_pages_keep_strict_policies(service: Service, visit: Visit) -> None:
    """No page lets inline scripts or styles run; a mail's frame lets nothing run at all."""
    number = await service.mail(mailbox(), "Hi", "<b>bold</b>")
    thread = await service.get(f"/api/conversations/{number}/messages")
    page = await visit("about:blank")
    for path in ("/", f"/c/{number}", "/docs", "/new"):
        policy = (await page.request.get(service.url + path)).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
    body = await page.request.get(f"{service.url}/m/{thread['items'][0]['id']}/body")
    policy = body.headers["content-security-policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


async def test_another_site_cannot_send_our_forms(service: Service, visit: Visit) -> None:
    """A form that comes from elsewhere is refused, by the browser's word or by its origin."""
    page = await visit("about:blank")
    form: dict[str, str | float | bool] = {
        "channel": "sms",
        "from": BUSINESS,
        "to": somebody(),
        "body": "hi",
        "key": "k",
    }
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ):
        answer = await page.request.post(f"{service.url}/send", form=form, headers=headers)
        assert answer.status == 403


async def test_a_mail_may_not_tell_its_sender_that_it_is_read(service: Service, visit: Visit) -> None:
    """Pictures from elsewhere are loaded only when the reader asks for them."""
    page, asked = await visit("about:blank"), []
    page.on("request", lambda request: asked.append(request.url))
    picture = f"{service.url}/static/icon.svg?tracker"
    number = await service.mail(mailbox(), "News", f"<p>Hello</p><img src='{picture}' alt='Logo'>")
    await page.goto(f"{service.url}/c/{number}")
    await page.frame_locator("iframe.mail-body").get_by_text("Hello").wait_for()
    assert not [url for url in asked if "tracker" in url]
    await page.click("text=Show pictures")
    await page.frame_locator("iframe.mail-body").locator("img[src]").wait_for()
    assert [url for url in asked if "tracker" in url]
