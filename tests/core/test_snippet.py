"""Snippets: one line that a person can read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.snippet import cut, snippet

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


@pytest.mark.parametrize(
    ("body", "channel", "expected"),
    [
        ("  two\n\twords  ", "sms", "two words"),
        ("a < b and b > c", "email", "a < b and b > c"),
        ("<b>not</b> markup", "sms", "<b>not</b> markup"),
        ("<p>Dear&nbsp;Ann,</p><p>hello &amp; bye</p>", "email", "Dear Ann, hello & bye"),
        ("<style>p{color:red}</style><script>alert(1)</script>Hi", "email", "Hi"),
        ("<!-- secret -->Hi<br>there", "email", "Hi there"),
        ("", "mms", ""),
    ],
)
def test_white_space_and_markup_are_reduced_to_words(body: str, channel: str, expected: str) -> None:
    """Only email carries markup."""
    assert snippet(body, channel, 64) == expected


def test_an_emoji_family_is_never_torn_apart() -> None:
    """A cut falls between grapheme clusters."""
    assert cut(FAMILY * 5, 3) == FAMILY * 3
    assert cut("e\u0301" * 4, 2) == "e\u0301" * 2


@given(st.text(max_size=300), st.integers(1, 80))
def test_a_cut_is_a_beginning_of_the_text(text: str, length: int) -> None:
    """Nothing is changed, only left out; what is short enough stays whole."""
    short = cut(text, length)
    assert text.startswith(short)
    assert len(text) > length or short == text
