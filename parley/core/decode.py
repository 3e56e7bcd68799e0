"""Decodes JSON against a declaration and names every field that is wrong, where the decoder stops at the first."""

import re
from typing import Any, TypeVar, get_type_hints

import msgspec

from parley.core.errors import Detail, Invalid

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# An escaped backslash, a whole pair, or else half of one.
_ESCAPES = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)", re.DOTALL)
_PLACE = re.compile(r"at `\$\.([^`.\[]+)")


def decode(decoder: "msgspec.json.Decoder[T]", raw: bytes) -> T:
    """Decode a body; raises `Invalid`."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Invalid(_plain(error), _details(error, raw, decoder.type)) from None
    except _UNREADABLE as error:
        raise Invalid.field("body", f"is not JSON that can be read: {str(error)[:200]}") from None


def mended(raw: bytes) -> bytes:
    """Put a sign where JSON escapes half a surrogate pair, as who cuts a text by UTF-16 units leaves it."""
    return _ESCAPES.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], raw)


def convert(given: dict[str, str], kind: type[T]) -> T:
    """Convert the texts of a query string; raises `Invalid`."""
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(_plain(error), _wrong_fields(given, kind, strict=False)) from None


def _details(error: msgspec.ValidationError, raw: bytes, kind: Any) -> tuple[Detail, ...]:
    """Name every wrong field; only the one that the decoder met, where what follows it cannot be read."""
    try:
        value = msgspec.json.decode(raw)
    except _UNREADABLE:
        value = None
    wrong = _wrong_fields(value, kind, strict=True) if isinstance(value, dict) else ()
    place = _PLACE.search(str(error))
    return wrong or (Detail(place[1] if place else "body", _plain(error)),)


def _wrong_fields(given: dict[str, Any], kind: Any, *, strict: bool) -> tuple[Detail, ...]:
    hints = get_type_hints(kind, include_extras=True)
    wrong = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in given:
            if field.required:
                wrong.append(Detail(field.encode_name, "is missing"))
            continue
        try:
            msgspec.convert(given[field.encode_name], hints[field.name], strict=strict)
        except msgspec.ValidationError as error:
            wrong.append(Detail(field.encode_name, _plain(error)))
    return tuple(wrong)


_WORDS = {
    "`": "",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
}


def _plain(error: msgspec.ValidationError) -> str:
    """The decoder's sentence in words that a caller in any language knows."""
    text = " ".join(_word(word) for word in str(error).split(" "))
    return text[:1].lower() + text[1:]


def _word(word: str) -> str:
    core = word.strip("`,")
    return word.replace(f"`{core}`", _WORDS.get(core, core))
