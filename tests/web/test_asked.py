"""What the inbox's address asks for."""

import pytest

from parley.conversations.read import Filter
from parley.web.asked import Asked


@pytest.mark.parametrize(
    ("query", "state", "address"),
    [
        ({}, "open", "/"),
        ({"q": "pump"}, "all", "/?q=pump"),
        ({"q": "pump", "state": "open"}, "open", "/?q=pump&state=open"),
        ({"state": "closed", "channel": "email"}, "closed", "/?channel=email&state=closed"),
        ({"state": "nonsense", "channel": "fax", "q": "  a   b\0 "}, "all", "/?q=a+b"),
        ({"q": "<&\"'>"}, "all", "/?q=%3C%26%22%27%3E"),
    ],
)
def test_an_address_says_what_is_asked_and_no_more(query: dict[str, str], state: str, address: str) -> None:
    """What goes without saying is left out, what makes no sense is as good as absent."""
    asked = Asked.read(query)
    assert asked.state == state
    assert asked.path("/") == address


def test_a_change_keeps_the_rest_and_begins_at_the_top() -> None:
    """Another filter for the same words; a place in the old list means nothing in the new one."""
    asked = Asked.read({"q": "pump", "cursor": "abc", "channel": "sms"})
    assert asked.changed(channel="") == "/?q=pump"
    assert asked.changed(cursor="def") == "/?q=pump&channel=sms&cursor=def"
    assert asked.path("/c/1", m="x") == "/c/1?q=pump&channel=sms&m=x"


def test_the_filter_is_what_the_database_is_asked() -> None:
    """`all` means no state at all."""
    assert Asked.read({}).filter == Filter("open")
    assert Asked.read({"state": "all"}).filter == Filter()
    assert Asked.read({"state": "failed", "channel": "mms"}).filter == Filter("failed", ("mms",))
