"""A database that an older version made becomes this version's, with all that is in it."""

import asyncpg

from parley.conversations.read import number_of
from parley.db.migrate import LEDGER, available, migrate, names
from parley.db.pool import open_database
from parley.messages.store import store
from tests.conftest import other_database
from tests.drafts import inbound

_OLDER = 4
"""The newest migration of the version before."""

_CONVERSATION = """
insert into conversations (account_id, id, uuid, key, channel, channels, participants, message_count, last_activity_at)
values (1, 1, $1::uuid, $2, 'sms', '{sms}', '{a,b}', 0, now())
"""
_THREAD = "insert into threads (account_id, key, conversation_id) values (1, $1, 1)"
_COUNTED = "update accounts set conversations = 1 where id = 1"


async def test_what_an_older_version_stored_is_found(server: str) -> None:
    """A conversation from before has its UUID still and takes new messages; others open beside it."""
    ours, others = inbound("m1"), inbound("m2", sender="+18045550000")
    connection = await asyncpg.connect(server)
    await connection.execute("create database older")
    await connection.close()
    url = other_database(server, "older")
    connection = await asyncpg.connect(url)
    await connection.execute(LEDGER)
    for name, text in list(available())[:_OLDER]:
        await connection.execute(text)
        await connection.execute("insert into schema_migrations (name) values ($1)", name)
    await connection.execute(_CONVERSATION, ours.conversation_uuid, ours.thread_key)
    await connection.execute(_THREAD, ours.thread_key)
    await connection.execute(_COUNTED)
    await connection.close()
    assert await migrate(url) == names()[_OLDER:]
    async with open_database(url, 1, "test") as db:
        assert await number_of(db, 1, ours.conversation_uuid) == 1
        batch = await store(db, [ours, others])
        assert [batch.stored[draft.id].conversation_id for draft in (ours, others)] == [1, 2]
