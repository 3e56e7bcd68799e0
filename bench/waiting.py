"""Waits until a database says that something is done."""

import asyncio
import time
from datetime import datetime

import asyncpg

from bench.wrk import BenchError

_PATIENCE_SECONDS = 240.0
_POLL_SECONDS = 0.02

AT_WORK = "select exists (select from workers where seen_at >= $1)"
SETTLED = "select not exists (select from deliveries)"
# By id, which begins with a message's time, and from the newest, which is delivered last: looking through all of them
# would slow down what is measured.
DELIVERED = """
select not exists (
    select from messages
    where account_id = 1 and id >= (lpad(to_hex((extract(epoch from $1::timestamptz) * 1000)::bigint), 12, '0')
        || repeat('0', 20))::uuid
        and direction = 'outbound' and status <> 'delivered'
    order by account_id desc, id desc
    limit 1
)
"""
DIGESTED = """
select not exists (
    select from events e
    where not exists (select from followers f where f.account_id = e.account_id and (e.xid, e.id) <= (f.xid, f.id))
) and not exists (select from deliveries)
"""


async def until(
    connection: "asyncpg.Connection[asyncpg.Record]", condition: str, *arguments: datetime
) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not await connection.fetchval(condition, *arguments):
        if time.monotonic() > end:
            raise BenchError(f"this is still not so: {' '.join(condition.split())}")
        await asyncio.sleep(_POLL_SECONDS)
