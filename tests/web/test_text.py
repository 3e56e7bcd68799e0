"""Texts on their way into a page."""

import pytest

from parley.web import text


@pytest.mark.parametrize(
    ("given", "linked"),
    [
        ("see https://example.com.", ["https://example.com"]),
        ("(https://example.com/a_(b))", ["https://example.com/a_(b)"]),
        ("https://example.com/?a=1&b=2, and http://x.example!", ["https://example.com/?a=1&amp;b=2", "http://x.example"]),
        ("HTTPS://EXAMPLE.COM/X", ["HTTPS://EXAMPLE.COM/X"]),
        ("javascript:alert(1) data:text/html,x ftp://example.com", []),
        ("https:// https://[ https://", []),
        ("https://example.com/\"onmouseover=\"x", ["https://example.com/"]),
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(given: str, linked: list[str]) -> None:
    """Punctuation of the sentence stays outside, and no link gives anything away."""
    html = str(text.linkify(given))
    assert [part.split('"')[1] for part in html.split("<a ")[1:]] == linked
    assert html.count('rel="noopener noreferrer nofollow"') == len(linked)


def test_everything_is_escaped_around_links() -> None:
    """What is not a link is text."""
    assert text.linkify("<b>&\"' https://example.com <i>").startswith("&lt;b&gt;&amp;&quot;&#x27; <a ")
    assert str(text.linkify("<b> https://example.com <i>")).endswith("</a> &lt;i&gt;")


def test_quotes_are_folded_with_the_line_that_announces_them() -> None:
    """A plain text mail is cut into what is new and what is repeated."""
    mail = "Yes please\n\nOn Monday, Ann wrote:\n> when?\n>\n> Monday?\n\nBye"
    assert [(one.text, one.quoted) for one in text.passages(mail)] == [
        ("Yes please", False),
        ("On Monday, Ann wrote:\n> when?\n>\n> Monday?", True),
        ("Bye", False),
    ]
    assert text.passages(" \n\n") == []
    assert [one.quoted for one in text.passages("> only a quote")] == [True]


@pytest.mark.parametrize(
    ("name", "address", "initials"),
    [
        ("Marta K.", "m@example.org", "MK"),
        ("Marta", "m@example.org", "M"),
        ("", "ann.lee@example.org", "AL"),
        ("", "+12015550134", "34"),
        ("", "@", "?"),
        ("👍", "", "?"),
        ("Željko Đ.", "", "ŽĐ"),
        ("한국 사람", "", "한사"),
    ],
)
def test_everybody_has_initials(name: str, address: str, initials: str) -> None:
    """Of the name, of the mailbox, or the number's last digits."""
    assert text.initials(name, address) == initials


def test_a_hue_is_stable_and_shared_by_spellings() -> None:
    """The same address has the same colour everywhere."""
    assert text.hue("Ann@example.org") == text.hue("ann@EXAMPLE.org")
    assert 0 <= text.hue("\udc80") < text.HUES


@pytest.mark.parametrize(
    ("url", "channel", "shown"),
    [
        ("https://example.com/a.JPG", "mms", True),
        ("https://example.com/a.png?size=2", "sms", True),
        ("https://api.example.com/Media/ME123", "mms", True),
        ("https://api.example.com/Media/ME123", "sms", False),
        ("https://example.com/a.png", "email", False),
        ("https://example.com/a.pdf", "mms", False),
        ("javascript:a.png", "mms", False),
        ("https://[x/a.png", "mms", False),
    ],
)
def test_pictures_are_known_by_their_ending(url: str, channel: str, shown: bool) -> None:
    """Carriers' media have no ending; mails show no pictures by themselves."""
    assert text.is_picture(url, channel) is shown


def test_a_number_is_spoken_with_its_spaces() -> None:
    """What is no number stays as it is."""
    assert text.spoken("+12015550134") == "+1 201-555-0134"
    assert text.spoken("+999") == "+999"
    assert text.spoken("PARLEY") == "PARLEY"
