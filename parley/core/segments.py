"""How many SMS segments a text costs: GSM-7 with its extension table where possible, else UCS-2."""

import re
from typing import Literal

import msgspec

Encoding = Literal["gsm7", "ucs2"]

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"

_BASIC = re.compile(f"[{re.escape(BASIC)}]*")
_GSM = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION)}]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class Segments(msgspec.Struct, frozen=True):
    """What a text costs: `units` are septets or UTF-16 units, `forced_by` the first character beyond GSM-7."""

    encoding: Encoding
    units: int
    count: int
    forced_by: str | None = None


def measure(text: str) -> Segments:
    """Count the segments of a text as carriers do."""
    if _BASIC.fullmatch(text):
        return Segments("gsm7", len(text), _even(len(text), 160, 153))
    fits = _GSM.match(text)
    end = fits.end() if fits else 0
    if end == len(text):
        return _packed("gsm7", text, _EXTENDED, 160, 153)
    return _packed("ucs2", text, _ASTRAL, 70, 67, forced_by=text[end])


def _even(units: int, single: int, part: int) -> int:
    return 1 if units <= single else -(-units // part)


def _packed(
    encoding: Encoding, text: str, wide: re.Pattern[str], single: int, part: int, forced_by: str | None = None
) -> Segments:
    """Fill parts one after another; a character of two units (escape or surrogate pair) is never torn apart."""
    doubles = [match.start() for match in wide.finditer(text)]
    units = len(text) + len(doubles)
    if units <= single or not doubles:
        return Segments(encoding, units, _even(units, single, part), forced_by)
    padding = 0
    for before, index in enumerate(doubles):
        if (index + before + padding) % part == part - 1:
            padding += 1
    return Segments(encoding, units, -(-(units + padding) // part), forced_by)
