"""Lists in pages: a position in an ordered list as text that a client hands back unread."""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from parley.core.errors import Invalid

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Window(msgspec.Struct, frozen=True):
    """The part of a list that somebody asks for: after a cursor, or else by number."""

    size: int
    page: int = 1
    cursor: str | None = None

    @property
    def offset(self) -> int:
        """How many rows to skip; a cursor skips none, which is why it costs the same at any depth."""
        return 0 if self.cursor is not None else (self.page - 1) * self.size


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows of a list, how many the whole list has if that is known, and where the next page begins."""

    items: list[T]
    total: int | None
    next_cursor: str | None


def encode_cursor(at: datetime, tie: int | bytes) -> str:
    """Write down the position after a row: its time, and what orders rows of equal time."""
    micros = (at - _EPOCH) // _MICROSECOND
    rest = tie.to_bytes(8, "big") if isinstance(tie, int) else tie
    return base64.urlsafe_b64encode(struct.pack(">q", micros) + rest).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, bytes]:
    """Read a position back; anything we did not write is the caller's error."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        (micros,) = struct.unpack_from(">q", raw)
        if len(raw) not in (16, 24):
            raise ValueError("a cursor of another length")
        return _EPOCH + micros * _MICROSECOND, raw[8:]
    except (ValueError, binascii.Error, struct.error, OverflowError):
        raise Invalid.field("cursor", "is not a cursor that this service gave out") from None
