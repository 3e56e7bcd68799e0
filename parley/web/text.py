"""Texts from outside on their way into a page: escaped first, then linked, marked and folded."""

import re
from hashlib import sha256
from html import escape
from urllib.parse import unquote, urlsplit

import msgspec
import phonenumbers
import regex
from markupsafe import Markup

HUES = 12
_URL = re.compile(r"https?://[^\s<>\"'`\x00-\x20]+", re.IGNORECASE)
_TRAILING = ".,;:!?*_~"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ATTRIBUTION = re.compile(
    r"^(On|Am|Le|El|Il|Op) .{4,200}(wrote|schrieb|a écrit|escribió|ha scritto|schreef) ?:$"
)
_PICTURE = re.compile(r"\.(jpe?g|png|gif|webp|avif|svg|bmp)$", re.IGNORECASE)


class Passage(msgspec.Struct, frozen=True):
    """A part of a mail in plain text: its own words, or what it quotes."""

    text: str
    quoted: bool


def is_web_url(url: str) -> bool:
    """Whether a link or picture may point there; `javascript:` and its relatives may not."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)


def linkify(text: str) -> Markup:
    """Escape a text and make its web addresses links that tell the other side nothing."""
    pieces, end = [], 0
    for match in _URL.finditer(text):
        url = _without_trailing(match[0])
        if not is_web_url(url):
            continue
        pieces += [escape(text[end : match.start()]), _link(url)]
        end = match.start() + len(url)
    return Markup("".join([*pieces, escape(text[end:])]))  # noqa: S704 - every piece is escaped


def _without_trailing(url: str) -> str:
    """Leave the punctuation of the sentence, and a bracket that was opened before the address, outside."""
    while url:
        last = url[-1]
        opened = _PAIRS.get(last)
        if last not in _TRAILING and (opened is None or url.count(opened) >= url.count(last)):
            break
        url = url[:-1]
    return url


def _link(url: str) -> str:
    safe = escape(url)
    return f'<a href="{safe}" target="_blank" rel="noopener noreferrer nofollow">{safe}</a>'


def coded(text: str) -> Markup:
    """Escape a text of our own and set what stands in backticks as code."""
    pieces = [escape(piece) for piece in text.split("`")]
    return Markup("".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(pieces)))  # noqa: S704


def passages(text: str) -> list[Passage]:
    """Cut a plain text mail into its own words and its quotes."""
    found: list[tuple[list[str], bool]] = []
    for line in text.splitlines():
        quoted = line.startswith(">")
        if found and (found[-1][1] == quoted or (found[-1][1] and not line.strip())):
            found[-1][0].append(line)
        else:
            said = _attribution(found[-1][0]) if quoted and found else ""
            found.append(([said, line] if said else [line], quoted))
    cut = [Passage("\n".join(lines).strip("\n"), quoted) for lines, quoted in found]
    return [passage for passage in cut if passage.text.strip()]


def _attribution(lines: list[str]) -> str:
    """Take the "On Monday Ann wrote:" before a quote over to it."""
    while lines and not lines[-1].strip():
        lines.pop()
    return lines.pop() if lines and _ATTRIBUTION.match(lines[-1].strip()) else ""


def hue(address: str) -> int:
    """The colour of an address, the same on every page and every machine."""
    return sha256(address.lower().encode(errors="replace")).digest()[0] % HUES


def initials(name: str, address: str) -> str:
    """One or two letters for a face: of the name, of the mailbox, or the number's last digits."""
    if name:
        words = regex.findall(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’]*", name)
    elif "@" in address:
        words = regex.findall(r"[\p{L}\p{N}]+", address.partition("@")[0])
    else:
        return address[-2:]
    letters = [regex.match(r"\X", word)[0] for word in (words[0], words[-1]) if word] if words else []
    return "".join(letters[: min(2, len(words))]).upper() or "?"


def spoken(address: str) -> str:
    """An address as a person would write it: phone numbers get their spaces."""
    if not address.startswith("+"):
        return address
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return address
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def file_name(url: str) -> str:
    """What to call an attachment: the last part of its address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.hostname or url


def is_picture(url: str, channel: str) -> bool:
    """Whether an attachment is shown as a picture; carriers' media addresses have no ending, and a picture
    in a mail would tell its sender that it is being read.
    """
    if channel == "email" or not is_web_url(url):
        return False
    name = file_name(url)
    return _PICTURE.search(name) is not None or (channel == "mms" and "." not in name)
