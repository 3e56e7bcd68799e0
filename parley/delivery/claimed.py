"""A delivery in a worker's hands."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

import asyncpg
import msgspec

from parley.core.message import Outgoing

Phase = Literal["send", "ask", "resend"]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim took; `taken_at` and `lease_end` are on our monotonic clock, other times on the database's."""

    conversation_id: int
    position: int
    claim: UUID
    claimed_at: datetime
    taken_at: float
    lease_end: float
    provider: str
    phase: Phase
    attempts: int
    forgiven: int
    asked: int
    doubt_since: datetime | None
    reported: bool
    """The provider has reported on it already, so that it surely has it."""
    message: Outgoing

    @property
    def tries(self) -> int:
        """The attempts that count against the retries, with the one for which this was claimed."""
        return self.attempts - self.forgiven

    @classmethod
    def of(cls, row: asyncpg.Record, taken_at: float, lease: float) -> Self:
        """Read a row of `claim`."""
        return cls(
            conversation_id=row["conversation_id"],
            position=row["position"],
            claim=row["claimed_by"],
            claimed_at=row["claimed_at"],
            taken_at=taken_at,
            lease_end=taken_at + lease,
            provider=row["provider"],
            phase=row["phase"],
            attempts=row["attempts"],
            forgiven=row["forgiven"],
            asked=row["asked"],
            doubt_since=row["doubt_since"],
            reported=row["reported"],
            message=_message(row),
        )


def _message(row: asyncpg.Record) -> Outgoing:
    return Outgoing(
        id=str(row["message_id"]),
        account_id=row["account_id"],
        channel=row["channel"],
        sender=row["from_address"],
        recipient=row["to_address"],
        body=row["body"],
        subject=row["subject"],
        cc=tuple(row["cc"] or ()),
        bcc=tuple(row["bcc"] or ()),
        reply_to=row["reply_to"],
        attachments=tuple(row["attachments"] or ()),
    )
