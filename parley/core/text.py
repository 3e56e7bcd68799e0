"""What a database column can hold of a text that came from outside."""

from hashlib import sha256

_LONGEST_ID = 255


def storable(text: str, longest: int | None = None) -> str:
    """PostgreSQL's text holds everything but NUL, and UTF-8 everything but half a surrogate pair."""
    kept = text[:longest].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode()


def indexable(identifier: str | None) -> str | None:
    """An id longer than an index takes is still the same id every time: its hash stands for it."""
    if not identifier:
        return None
    if len(identifier) > _LONGEST_ID:
        return "sha256:" + sha256(identifier.encode("utf-8", "replace")).hexdigest()
    return storable(identifier)
