"""What email vendors share: clean mailboxes and subjects, and a body as text with HTML beside it."""

import re
from collections.abc import Iterable
from email.utils import parseaddr
from html import escape, unescape
from typing import NamedTuple

import nh3

from parley.core.address import unwrap
from parley.core.message import Outgoing
from parley.core.outcome import Rejected
from parley.core.snippet import is_html

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")
_MARK = re.compile(
    r"<a\s([^<>]*)>|<br\b[^<>]*>|</(a|p|div|h[1-6]|li|tr|td|th|table|blockquote)\s*>", re.IGNORECASE
)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']?\s*((?:https?:|mailto:|tel:)[^"'\s]+)""", re.IGNORECASE)
_NO_SUBJECT = "(no subject)"
# Python 3.11 drops the quotes of a name that it has to fold, and the commas in it then part addresses.
_LONGEST_NAME = 60
_LONGEST_MAILBOX = 500  # comments may nest, and Python reads them by recursion


class Mailbox(NamedTuple):
    """An address and the name that is shown for it."""

    address: str
    name: str


class Letter(NamedTuple):
    """A message as every email vendor wants it; nothing in it can break a line of a header."""

    sender: Mailbox
    to: Mailbox
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    reply_to: Mailbox | None
    subject: str
    text: str
    html: str | None


def letter(message: Outgoing) -> Letter:
    """Make a message ready for the post; raises `Rejected` where an address cannot be one."""
    to = mailbox(message.recipient)
    seen = {to.address.lower()}
    markup = is_html(message.body)
    # SendGrid refuses a mail without a subject, and so do the filters of many who receive one.
    subject = _one_line(message.subject or "") or _NO_SUBJECT
    text = plain(message.body) if markup else message.body
    return Letter(
        sender=mailbox(message.sender),
        to=to,
        cc=_new(message.cc, seen),
        bcc=_new(message.bcc, seen),
        reply_to=mailbox(message.reply_to) if message.reply_to else None,
        subject=subject,
        # It refuses an empty text too, which is what remains of HTML that is one picture.
        text=_text_links(text if text.strip() else subject, message.attachments),
        html=_html_links(message.body, message.attachments) if markup else None,
    )


def mailbox(raw: str) -> Mailbox:
    """Read `a@b`, `Name <a@b>` or `[a@b](mailto:a@b)`; one with a control character is refused, not repaired."""
    text = raw.strip()
    address = unwrap(text) if len(text) <= _LONGEST_MAILBOX else ""
    named = text.endswith(">")
    # A name may look like an address itself, and must not win over the one in the angle brackets.
    other = named and text.rpartition("<")[2].strip("> ") != address
    if other or _CONTROL.search(text) or not _ADDRESS.fullmatch(address):
        raise Rejected("an address is not one that mail can go to", code="invalid_address")
    return Mailbox(address, _one_line(parseaddr(text)[0])[:_LONGEST_NAME] if named else "")


def _new(raws: Iterable[str], seen: set[str]) -> tuple[Mailbox, ...]:
    """Each mailbox once: SendGrid refuses a mail that names an address twice among to, cc and bcc."""
    found = []
    for box in map(mailbox, raws):
        if box.address.lower() not in seen:
            seen.add(box.address.lower())
            found.append(box)
    return tuple(found)


def _one_line(text: str) -> str:
    """Leave nothing that could end a header: no control character, no encoded word that decodes to one."""
    return " ".join(_CONTROL.sub(" ", text).replace("=?", "= ?").split())


def plain(body: str) -> str:
    """Reduce HTML to text that reads well: a line for a line, and a link's address behind its words."""
    opened = ""

    def mark(found: re.Match[str]) -> str:
        nonlocal opened
        if found[1] is not None:
            href = _HREF.search(found[1])
            opened = f" ({href[1]})" if href else ""
            return ""
        if (tag := (found[2] or "br").lower()) != "a":
            return " " if tag in ("td", "th") else "\n"
        link, opened = opened, ""
        return link

    words = unescape(nh3.clean(_MARK.sub(mark, " ".join(body.split())), tags=set()))
    lines = (" ".join(line.split()) for line in words.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# Attachments are addresses on the web, and go out as links. To fetch them and attach their bytes would let
# whoever writes a message make this machine ask any address in its reach, those of its own network included.


def _text_links(text: str, attachments: tuple[str, ...]) -> str:
    return text + ("\n\nAttachments:\n" + "\n".join(f"- {url}" for url in attachments) if attachments else "")


def _html_links(body: str, attachments: tuple[str, ...]) -> str:
    if not attachments:
        return body
    items = "".join(f'<li><a href="{escape(url)}">{escape(url)}</a></li>' for url in attachments)
    cut = max((end.start() for end in _BODY_END.finditer(body)), default=len(body))
    return f"{body[:cut]}<p>Attachments:</p><ul>{items}</ul>{body[cut:]}"
