"""The reference page."""

import shlex
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect

from parley.web.reference import reference
from tests.web.conftest import Visit
from tests.web.service import Service


async def test_every_operation_is_described(service: Service, visit: Visit) -> None:
    """What programs read in openapi.json, people read here."""
    described = await service.get("/openapi.json")
    page = await visit("/docs")
    shown = await page.locator(".operation-path").all_inner_texts()
    operations = {f"{method.upper()} {path}" for path, of in described["paths"].items() for method in of}
    assert {" ".join(text.split()) for text in shown} == operations
    dead = await page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    )
    assert dead == 0


async def test_the_contents_can_be_filtered(service: Service, visit: Visit) -> None:
    """By the words of an address or of what it does."""
    page = await visit("/docs")
    await page.keyboard.press("/")
    await page.keyboard.type("cancel")
    await expect(page.locator(".contents li:visible")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Take a message out of the queue")).to_be_in_viewport()


async def test_commands_can_be_copied(service: Service, visit: Visit) -> None:
    """A button beside each."""
    page = await visit("/docs", permissions=["clipboard-read", "clipboard-write"])
    place = page.locator("#post-api-messages-sms .copyable")
    await place.get_by_role("button").click()
    await expect(place.get_by_role("button")).to_have_text("Copied")
    assert (await page.evaluate("navigator.clipboard.readText()")).startswith("curl http")


async def test_commands_do_what_they_say(service: Service) -> None:
    """Every command of the page that names no message of one's own works as it stands."""
    await service.text("+18045551234", "So that there is a conversation 1")
    shown = reference(await service.get("/openapi.json"))
    tried = 0
    async with aiohttp.ClientSession() as http:
        for entry in (entry for group in shown.groups for entry in group.entries):
            if "{" in entry.curl.splitlines()[0] or (entry.method == "POST" and not entry.fields):
                continue
            method, url, body, headers = _parsed(entry.curl)
            async with http.request(method, url, data=body, headers=headers) as answer:
                assert str(answer.status) in {o.status for o in entry.outcomes if o.status < "300"}, (
                    entry.curl
                )
            tried += 1
    await service.faults(error_pct=0)
    assert tried >= 15


def _parsed(curl: str) -> tuple[str, str, str | None, dict[str, str]]:
    """What curl would do."""
    words = [word for word in shlex.split(curl)[1:] if word != "\n"]
    method, url, body, headers = "", "", None, {}
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = words.pop(0)
        else:
            url = word
    return method or ("POST" if body else "GET"), url, body, headers


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        (
            {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
            "list of strings or null",
        ),
        ({"enum": ["high", "normal"]}, "“high” or “normal”"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Detail"}}, "list of objects"),
    ],
)
def test_types_are_said_in_words(schema: dict[str, Any], kind: str) -> None:
    """As one would say it."""
    document = {
        "info": {"title": "T", "version": "1", "description": "d"},
        "servers": [{"url": "http://x"}],
        "components": {"schemas": {"A": {"properties": {"a": schema}}, "Detail": {"properties": {}}}},
        "paths": {"/a": {"get": {"tags": ["A"], "summary": "s", "responses": {"200": {
            "description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}},
    }  # fmt: skip
    (field,) = reference(document).schemas[0].fields
    assert field.kind == kind
