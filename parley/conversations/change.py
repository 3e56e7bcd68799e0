"""What changes conversations: here they are opened and numbered."""

from collections.abc import Collection

import msgspec

from parley.core.message import Draft
from parley.db.pool import Connection
from parley.db.sql import statements

_SQL = statements("parley.conversations", "conversations.sql")


async def open_missing(connection: Connection, drafts: Collection[Draft]) -> int:
    """Open the conversations that these drafts still lack, inside the caller's transaction."""
    await connection.fetch(_SQL["lock_counters"], sorted({draft.account_id for draft in drafts}))
    # A new statement sees what others opened while we waited for the counters.
    rows = await connection.fetch(_SQL["open"], msgspec.json.encode(drafts).decode())
    return sum(row["opened"] for row in rows)
