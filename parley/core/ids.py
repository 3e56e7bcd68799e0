"""Time-ordered ids, made here so that nothing depends on the order in which a database returns rows."""

from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """Make a UUIDv7 as text."""
    return str(uuid7())


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form."""
    try:
        return len(text) == 36 and UUID(text) is not None
    except ValueError:
        return False
