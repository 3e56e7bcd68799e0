"""What is past its time is forgotten, and nothing else."""

from parley.db.pool import Database
from parley.settings import Settings
from parley.webhooks.retention import clean


async def test_old_rows_go_and_unparsed_ones_wait_for_their_replay(db: Database, settings: Settings) -> None:
    """More than one batch of each is forgotten in one round."""
    await db.execute(
        """
        insert into inbound_events (account_id, id, source, received_at, body, state)
        select 1, lpad(to_hex(row_number() over (order by days desc)), 32, '0')::uuid, 'messaging',
            now() - make_interval(days => days), '', state
        from (values (90, 'parsed', 1500), (90, 'unparsed', 3), (1, 'parsed', 5)) kind (days, state, n),
            generate_series(1, n)
        """
    )
    await db.execute(
        """
        insert into events (account_id, kind, at)
        select 1, 'message.created', now() - make_interval(days => days)
        from (values (90, 1500), (1, 5)) kind (days, n), generate_series(1, n) order by days desc
        """
    )
    await db.execute(
        "insert into rate_limits values ('ip', 'old', now() - interval '1 s'), ('ip', 'new', now() + interval '1 h')"
    )
    assert await clean(settings, db) == 1500 + 1500 + 1
    assert await db.fetchval("select count(*) from inbound_events") == 8
    assert await db.fetchval("select count(*) from events") == 5
    assert await db.fetchval("select count(*) from rate_limits") == 1
    assert await clean(settings, db) == 0
