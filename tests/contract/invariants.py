"""What must be true of every database at any time."""

from typing import Any

import asyncpg

INVARIANTS = {
    "message_count is the number of messages": """
        select c.id from conversations c where message_count <>
            (select count(*) from messages m where m.account_id = c.account_id and m.conversation_id = c.id)""",
    "numbers have no gaps": """
        select id from accounts a where conversations <> (select count(*) from conversations where account_id = a.id)
            or conversations <> (select coalesce(max(id), 0) from conversations where account_id = a.id)""",
    "a thread has one conversation": "select key from conversations group by account_id, key having count(*) > 1",
    "a message has at most one success": """
        select message_id from attempts where outcome = 'accepted' group by account_id, message_id having count(*) > 1""",
}


async def invariants_hold(database: "asyncpg.Connection[Any]") -> None:
    """What must be true of every database at any time."""
    for rule, broken in INVARIANTS.items():
        assert await database.fetch(broken) == [], rule
