"""The one-line preview of a body: HTML reduced to text, white space collapsed, cut between graphemes."""

import html
import re

import nh3
import regex

_TAG = re.compile(r"<(?:/?[a-zA-Z][a-zA-Z0-9-]*(?:[\s/][^<>]*)?|![^<>]*)>")
_LONGEST_HTML = 65_536


def snippet(body: str, channel: str, length: int) -> str:
    """Preview a body; only email carries markup."""
    text = to_text(body) if channel == "email" else body
    return cut(" ".join(text[: length * 64].split()), length)


def is_html(body: str) -> bool:
    """Whether a body is markup rather than text that happens to hold a `<`."""
    return "<" in body and _TAG.search(body) is not None


def to_text(body: str) -> str:
    """Reduce markup to its words; scripts, styles and comments leave nothing."""
    if not is_html(body):
        return body
    spaced = _TAG.sub(lambda tag: " " + tag[0], body[:_LONGEST_HTML])
    return html.unescape(nh3.clean(spaced, tags=set()))


def cut(text: str, length: int) -> str:
    """Keep the first grapheme clusters, so that no emoji family is torn apart."""
    if len(text) <= length or text.isascii():
        return text[:length]
    clusters = regex.finditer(r"\X", text)
    end = 0
    for _, cluster in zip(range(length), clusters, strict=False):
        end = cluster.end()
    return text[:end]
