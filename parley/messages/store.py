"""Puts drafts into PostgreSQL, many at once; decides there what is new and what was there before."""

from collections.abc import Collection

import msgspec

from parley.conversations.change import open_missing
from parley.core.message import Draft, Stored
from parley.db.pool import Connection, Database
from parley.db.sql import statements

_SQL = statements("parley.messages", "messages.sql")

# A draft is left unanswered only when its thread is missing or a neighbour's commit overtook it; the first
# repetition settles both, further ones only matter under an endless stream of such neighbours.
_ROUNDS = 5


class Batch(msgspec.Struct, frozen=True):
    """What became of each draft, by its id, and how many conversations had to be opened."""

    stored: dict[str, Stored]
    opened: int


async def store(db: Database, drafts: Collection[Draft]) -> Batch:
    """Store drafts and commit; one statement unless a conversation is new."""
    opened = 0
    async with db.connection() as connection:
        stored = await _run(connection, drafts)
        for _ in range(_ROUNDS):
            waiting = [draft for draft in drafts if draft.id not in stored]
            if not waiting:
                break
            async with connection.transaction():
                opened += await open_missing(connection, waiting)
                again = await _run(connection, waiting)
            stored.update(again)
    return Batch(stored, opened)


async def _run(connection: Connection, drafts: Collection[Draft]) -> dict[str, Stored]:
    rows = await connection.fetch(_SQL["store"], msgspec.json.encode(drafts).decode())
    return {
        str(row["draft_id"]): Stored(
            str(row["id"]),
            row["conversation_id"],
            row["provider_message_id"],
            row["duplicate"],
            row["request_hash"],
        )
        for row in rows
    }
