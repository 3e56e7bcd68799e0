"""Content negotiation: q-values, wildcards and charsets."""

import pytest

from parley.api.negotiate import accepts, is_json, prefers


@pytest.mark.parametrize(
    ("header", "fine"),
    [
        ("", True),
        ("*/*", True),
        ("application/*", True),
        ("application/json", True),
        ("Application/JSON; q=0.1", True),
        ("text/html, */*;q=0.1", True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("application/json;q=0, */*", False),
        ("*/*;q=0", False),
        ("application/json;q=nonsense", False),
        ("text/html,,", False),
    ],
)
def test_the_most_exact_pattern_decides_whether_json_is_acceptable(header: str, fine: bool) -> None:
    """RFC 9110: a pattern that names the type wins over a wildcard."""
    assert accepts(header) is fine


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("application/json, text/plain", "application/json"),
        ("application/json;q=0.5, text/plain", "text/plain"),
        ("text/*;q=0.9, application/json;q=0.8", "text/plain"),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain"),
    ],
)
def test_the_better_liked_type_is_chosen_and_json_on_a_tie(header: str, chosen: str) -> None:
    """A scraper gets text, everybody else JSON."""
    assert prefers(header, "application/json", "text/plain") == chosen


@pytest.mark.parametrize(
    ("content_type", "fine"),
    [
        ("", True),
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ('APPLICATION/JSON; Charset="UTF-8"', True),
        ("application/problem+json", True),
        ("application/json; charset=latin-1", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonp", False),
    ],
)
def test_only_json_in_utf8_is_taken(content_type: str, fine: bool) -> None:
    """A charset is accepted as long as it is ours."""
    assert is_json(content_type) is fine
