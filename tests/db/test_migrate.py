"""A database that an older version made becomes this version's, with all that is in it."""

import asyncpg

from parley.db.migrate import LEDGER, available, migrate, names
from parley.db.pool import Database, open_database
from parley.messages.store import store
from tests.conftest import other_database
from tests.drafts import inbound

_OLDER = 4
"""The newest migration of the version before."""

_STORED = """
insert into conversations (account_id, id, uuid, key, channel, channels, participants, message_count, last_activity_at)
values (1, 1, '0199a3c0-0000-5000-8000-000000000001', 'k', 'sms', '{sms}', '{a,b}', 0, now());
insert into threads (account_id, key, conversation_id) values (1, 'k', 1);
update accounts set conversations = 1 where id = 1;
"""


async def test_what_an_older_version_stored_is_found(server: str) -> None:
    """A conversation from before has its UUID still, and new messages go on beside it."""
    connection = await asyncpg.connect(server)
    await connection.execute("create database older")
    await connection.close()
    url = other_database(server, "older")
    connection = await asyncpg.connect(url)
    await connection.execute(LEDGER)
    for name, text in list(available())[:_OLDER]:
        await connection.execute(text)
        await connection.execute("insert into schema_migrations (name) values ($1)", name)
    await connection.execute(_STORED)
    await connection.close()
    assert await migrate(url) == names()[_OLDER:]
    async with open_database(url, 1, "test") as db:
        assert await _found(db) == 1
        batch = await store(db, [inbound("m1")])
        assert {stored.conversation_id for stored in batch.stored.values()} == {2}


async def _found(db: Database) -> object:
    return await db.fetchval(
        "select conversation_id from threads where uuid = '0199a3c0-0000-5000-8000-000000000001'"
    )
