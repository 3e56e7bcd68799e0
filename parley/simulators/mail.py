"""What the ledger keeps of a mail that came by SMTP."""

import re
from email import message_from_bytes
from email.message import Message
from uuid import uuid4

from parley.simulators.ledger import Entry

_OUR_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def entry(content: bytes, sender: str, recipients: list[str], now: float) -> Entry:
    """The mail as an entry; our id is the UUID in `X-Parley-Message-Id` or else in `Message-ID`."""
    mail = message_from_bytes(content)
    named = str(mail.get("X-Parley-Message-Id") or mail.get("Message-ID") or "")
    our_id = _OUR_ID.search(named.lower())
    return Entry(
        vendor="smtp",
        id=uuid4().hex,
        our_id=our_id[0] if our_id else None,
        sender=sender,
        recipient=", ".join(recipients),
        body=_text(mail),
        accepted_at=now,
    )


def _text(mail: Message) -> str:
    """The first text of a mail, whatever its charset claims to be."""
    part = next((part for part in mail.walk() if part.get_content_maintype() == "text"), None)
    payload = part.get_payload(decode=True) if part else None
    if part is None or not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace")
