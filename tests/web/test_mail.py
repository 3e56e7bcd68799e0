"""What is left of a mail's HTML."""

from html.parser import HTMLParser

import pytest

from parley.web import mail
from tests.web.payloads import TEXTS


class Markup(HTMLParser):
    """Tells the tags and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_that_acts_is_left(text: str) -> None:
    """No scripts, no handlers, no forms, no frames, no addresses but those of the web and of mail."""
    left = Markup(mail.clean(f"<div>{text}</div>", pictures=True))
    assert left.tags <= {"div", "details", "summary", "img", "a", "p", "table", "tbody", "b"}
    assert {name for name, _ in left.attributes} <= {"src", "href", "rel", "target", "style", "title", "alt"}
    assert all(
        value.startswith(("https://", "http://"))
        for name, value in left.attributes
        if name in ("src", "href")
    )
    assert not any("url" in value for name, value in left.attributes if name == "style")


def test_shape_and_colour_stay() -> None:
    """Tables, emphasis and harmless styles are what mails are made of."""
    given = (
        '<table width="100%"><tr><td bgcolor="#fff" style="padding: 4px; position: fixed">x</td></tr></table>'
    )
    assert mail.clean(given) == (
        '<table width="100%"><tbody><tr><td bgcolor="#fff" style="padding:4px">x</td></tr></tbody></table>'
    )
    assert mail.is_coloured(mail.clean(given))
    assert not mail.is_coloured(mail.clean("<p>My favourite color is green</p>"))


def test_links_open_outside_and_tell_nothing() -> None:
    """Only http, https, mailto and tel lead anywhere."""
    assert 'rel="noopener noreferrer nofollow"' in mail.clean('<a href="https://example.com">x</a>')
    assert 'target="_blank"' in mail.clean('<a href="mailto:a@example.com">x</a>')
    for address in ("javascript:x", "data:text/html,x", "/settings", "//example.com", "file:///x"):
        assert "href" not in mail.clean(f'<a href="{address}">x</a>')


def test_pictures_from_elsewhere_need_a_wish() -> None:
    """Only pictures that are in the mail itself are shown unasked."""
    remote, inline = '<img src="https://example.com/x.png">', '<img src="data:image/png;base64,AAAA">'
    assert mail.has_remote_pictures(remote)
    assert not mail.has_remote_pictures(inline)
    assert "src" not in mail.clean(remote)
    assert "src" in mail.clean(remote, pictures=True)
    assert "src" in mail.clean(inline)
    assert "src" not in mail.clean('<img src="data:image/svg+xml,<svg onload=x>">')
    assert "img-src data:;" in mail.policy(pictures=False)


def test_the_outermost_quote_folds() -> None:
    """Quotes within quotes stay inside, and a tag in an attribute is no tag."""
    given = '<p title="<blockquote>">a</p><blockquote>b<blockquote>c</blockquote>&amp;&#8364;</blockquote>d'
    assert mail.clean(given) == (
        '<p title="&lt;blockquote&gt;">a</p><details><summary>Quoted text</summary>'
        "<blockquote>b<blockquote>c</blockquote>&amp;€</blockquote></details>d"
    )
