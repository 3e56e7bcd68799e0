"""Time-ordered ids, made here so that nothing depends on the order in which a database returns rows."""

import re

from uuid_utils import uuid7

_USUAL_FORM = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id() -> str:
    """Make a UUIDv7 as text."""
    return str(uuid7())


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form."""
    return _USUAL_FORM.fullmatch(text) is not None
