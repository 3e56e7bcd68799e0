"""The operations page."""

import re

from playwright.async_api import expect

from parley.web import charts
from tests.web.conftest import Visit
from tests.web.service import Service, somebody


async def test_figures_follow_what_happens(service: Service, visit: Visit) -> None:
    """What is sent shows up without a reload, and every figure has words for who sees no chart."""
    page = await visit("/operations")
    await expect(page.locator("#live-mark")).to_have_text("Live")
    received = page.locator(".tiles div", has_text="Received").locator("dd").first
    before = int("".join(filter(str.isdigit, await received.inner_text())))
    for n in range(3):
        await service.text(somebody(), f"figure {n}")
    await expect(received).to_have_text(re.compile(r"\s?".join(str(before + 3))))
    chart = page.get_by_role("img", name="Messages received in each minute")
    await expect(chart.locator("rect.received").last).to_be_attached()
    await expect(page.get_by_role("heading", name="Providers")).to_be_visible()
    await expect(page.locator(".breaker").first).to_have_text("Healthy")


async def test_what_was_given_up_can_be_tried_again(service: Service, visit: Visit) -> None:
    """A dead letter names its reason, leads to its conversation, and leaves the list when it is tried again."""
    await service.faults(error_pct=100)
    try:
        sent = await service.send(somebody(), "While the provider is broken")
        page = await visit("/operations")
        row = page.locator(".letters tbody tr", has=page.locator(f"a[href$='{sent['message_id']}']"))
        await expect(row).to_contain_text("internal server error", timeout=20_000)
    finally:
        await service.faults(error_pct=0)
    await row.get_by_role("link").click()
    await expect(page.locator(f"#m-{sent['message_id']} .status")).to_have_text("Not sent")
    await page.go_back()
    await row.get_by_role("button").click()
    await expect(row).to_have_count(0)
    await page.goto(f"/c/{sent['conversation_id']}")
    await expect(page.locator(f"#m-{sent['message_id']} .status")).to_have_text("Delivered", timeout=20_000)


async def test_sliders_move_the_simulators(service: Service, visit: Visit) -> None:
    """At once, and without scripts by a form."""
    page = await visit("/operations")
    await page.get_by_label("No answer at all").fill("5")
    await expect(page.locator("output[for=timeout_pct]")).to_have_text("5 %")
    await page.get_by_label("No answer at all").dispatch_event("change")
    await expect(page.locator(".wrong-text")).to_have_text("")
    plain = await visit("/operations", java_script_enabled=False)
    await expect(plain.get_by_label("No answer at all")).to_have_value("5")
    await plain.get_by_label("No answer at all").fill("0")
    await plain.get_by_role("button", name="Apply").click()
    await expect(plain.get_by_label("No answer at all")).to_have_value("0")
    assert (await service.get("/api/provider/mock/config"))["timeout_pct"] == 0


def test_charts_are_stacked_below_a_round_top() -> None:
    """The highest column fits, a small count is seen, a zero is not."""
    chart = charts.columns([{"a": 0, "b": 0}, {"a": 1, "b": 299}], ["none", "many"], height=100)
    assert chart.top == 300
    (_, nothing), (title, bars) = chart.columns
    assert (nothing, title) == ([], "many")
    assert [bar.kind for bar in bars] == ["a", "b"]
    assert bars[0].height >= 1.5
    assert 0 <= bars[1].y < bars[0].y <= 100
    assert charts.columns([], []).top == 4


def test_shares_fill_the_line() -> None:
    """Parts follow upon each other; what is nothing has no part."""
    assert charts.share({"a": 0, "b": 0}) == []
    bars = charts.share({"a": 3, "b": 0, "c": 1})
    assert [(bar.kind, bar.x, bar.width) for bar in bars] == [("a", 0, 300), ("c", 300, 100)]
