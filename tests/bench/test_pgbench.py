"""What pgbench runs beside the service is what the service runs."""

import asyncpg
import pytest

from bench import traffic
from bench.pgbench import script, with_unasked
from parley.core.message import Draft


@pytest.mark.parametrize(
    ("draft", "provider_message_id"),
    [(traffic.inbound(0, "bench-0", b"{}"), "bench-0"), (traffic.outbound(0), None)],
)
async def test_each_run_of_the_script_stores_another_message(
    draft: Draft, provider_message_id: str | None, database_url: str
) -> None:
    """One message a run, in the conversation of the customer that was drawn, with an id of its own."""
    await traffic.open_conversations(database_url)
    statement = script(draft, provider_message_id).partition("\n")[2].partition("\n")[2].strip().rstrip(";")
    # pgbench's variables; and older servers have no ids in order of time.
    for ours, theirs in ((":customer", "$1"), (":number", "$2"), ("uuidv7()", "gen_random_uuid()")):
        statement = statement.replace(ours, theirs)
    connection = await asyncpg.connect(database_url)
    try:
        ids = [await connection.fetchval(statement, 7, str(number)) for number in range(3)]
        rows = await connection.fetch("select * from messages where id = any($1::uuid[])", ids)
    finally:
        await connection.close()
    assert len(rows) == 3
    theirs = "from_address" if draft.direction == "inbound" else "to_address"
    assert {row[theirs] for row in rows} == {traffic.customer(7)}
    assert {(row["body"], row["direction"]) for row in rows} == {(draft.body, draft.direction)}


def test_a_pause_counts_for_all_that_would_have_been_asked_meanwhile() -> None:
    """As `wrk` reckons: one answer in 100 where one in 30 is usual stands for two more."""
    assert list(with_unasked([100, 10, 60], 30)) == [100, 10, 60, 70, 40]
