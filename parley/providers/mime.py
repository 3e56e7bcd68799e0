"""Mail that comes in, whether as a form or as raw MIME, in whatever charset its writer believed in."""

import codecs
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from parley.core.errors import Unreadable
from parley.core.webhook import Webhook
from parley.providers import http

# Codecs that Python takes for charsets, though no mail is written in them and hostile bytes make them slow.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
_LONGEST_NAME, _LONGEST_HEADER = 200, 50_000


class Form(NamedTuple):
    """A posted form: the bytes of its fields, and of its files only their names."""

    fields: dict[str, bytes]
    files: list[tuple[str, str]]


class Mail(NamedTuple):
    """A mail as far as we keep it."""

    headers: Message
    sender: str
    to: str
    cc: str
    subject: str
    text: str
    html: str
    files: Sequence[str]


def is_form(webhook: Webhook) -> bool:
    """Whether a webhook says that its body is a form."""
    kind = webhook.headers.get("content-type", "").strip().lower()
    return kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded"))


def form(webhook: Webhook) -> Form:
    """Read a form; its fields stay bytes, since each may have a charset of its own."""
    kind, options = parse_options_header(webhook.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        pairs = parse_qsl(webhook.body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        return Form({name: value.encode("latin-1", "replace") for name, value in pairs}, [])
    found = Form({}, [])

    def on_field(field: Field) -> None:
        found.fields[decoded(field.field_name or b"")] = field.value or b""

    def on_file(file: File) -> None:
        found.files.append((decoded(file.field_name or b""), decoded(file.file_name or b"")))
        file.close()

    limit = {"MAX_MEMORY_FILE_SIZE": len(webhook.body) + 1}  # so that no attachment touches the disk
    try:
        parser = FormParser(
            "multipart/form-data", on_field, on_file, boundary=options.get(b"boundary"), config=limit
        )
        parser.write(webhook.body)
        parser.finalize()
    except (FormParserError, ValueError, TypeError, AssertionError):
        raise Unreadable("a form that breaks off") from None
    return found


def raw(data: bytes) -> Mail:
    """Read a whole MIME message."""
    try:
        message = message_from_bytes(data)
        parts = [part for part in message.walk() if not part.is_multipart()]
        files = [name for part in parts if (name := _file_name(part)) is not None]
        text, html = (_first(parts, kind) for kind in ("text/plain", "text/html"))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Unreadable("a mail whose MIME makes no sense") from None
    sender, to, cc, subject = (words(header(message, name)) for name in ("from", "to", "cc", "subject"))
    return Mail(message, sender, to, cc, subject, text, html, files)


def _file_name(part: Message) -> str | None:
    # Asked itself, a part gives question marks for raw UTF-8.
    told = head("\n".join(f"{key}: {header(part, key)}" for key in ("content-disposition", "content-type")))
    name = told.get_filename()
    return words(name) if name else "" if told.get_content_disposition() == "attachment" else None


def _first(parts: Sequence[Message], kind: str) -> str:
    for part in parts:
        if part.get_content_type() == kind and _file_name(part) is None:
            payload = part.get_payload(decode=True)
            return decoded(payload, part.get_content_charset("utf-8")) if isinstance(payload, bytes) else ""
    return ""


def decoded(data: bytes, charset: str = "utf-8") -> str:
    """Decode bytes as they claim to be encoded; a false claim spoils letters, never the mail."""
    try:
        if codecs.lookup(charset).name not in _NO_CHARSETS:
            return data.decode(charset, "replace")
    except (LookupError, ValueError):
        pass
    return data.decode("utf-8", "replace")


def head(block: str) -> Message:
    """Read a block of headers."""
    return message_from_string(block.lstrip("\r\n") + "\n\n")


def header(message: Message, name: str) -> str:
    """The first header of a name, unfolded; raw UTF-8 in it is taken for what it is."""
    for key, value in message.raw_items():
        if key.lower() == name:
            # Bytes beyond ASCII are hidden in surrogates by the parser.
            hidden = str(value)[:_LONGEST_HEADER].encode("utf-8", "surrogateescape")
            return " ".join(decoded(hidden).split())
    return ""


def words(text: str) -> str:
    """Decode the encoded words of a header."""
    try:
        chunks = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        decoded(part, charset or "utf-8") if isinstance(part, bytes) else part for part, charset in chunks
    )


def addresses(text: str) -> tuple[str, ...]:
    """The bare addresses of a header; comments nested without end leave none."""
    try:
        return tuple(address for _, address in getaddresses([text]) if address)
    except RecursionError:
        return ()


def arrived(message: Message) -> datetime | None:
    """When the receiving server took the mail, says the topmost Received; Date is only the writer's claim."""
    received = header(message, "received").rpartition(";")[2]
    return http.written(received) or http.written(header(message, "date"))


def attachment(name: str) -> str:
    """What stands for a file that came by mail: its name, which nobody can take for a web address."""
    return "attachment:" + quote(name[:_LONGEST_NAME] or "unnamed", safe="")
