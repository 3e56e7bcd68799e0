"""The ledger knows every accepted message, finds repeats, and stays within its bounds."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parley.simulators.ledger import Entry, Ledger, shown
from tests.simulators.clients import mail, send
from tests.simulators.stage import Stage


def entry(number: int, recipient: str = "+1", our_id: str | None = None, **more: Any) -> Entry:
    """A message."""
    return Entry(
        vendor="twilio",
        id=f"SM{number}",
        our_id=our_id,
        sender="+2",
        recipient=recipient,
        body=f"body {number}",
        accepted_at=float(number),
        **more,
    )


@given(st.lists(st.sampled_from(["+1", "+2", "+3"]), max_size=60), st.integers(1, 20))
def test_the_ring_keeps_the_newest_and_finds_each_recipients_own(recipients: list[str], cap: int) -> None:
    """Whatever the cap: the newest stay, by number, by id and by recipient; older ones are gone everywhere."""
    ledger = Ledger(cap)
    made = [entry(number, recipient) for number, recipient in enumerate(recipients)]
    for one in made:
        ledger.add(one)
    kept = made[-cap:] if made else []
    assert list(ledger.after(0)) == kept
    assert list(ledger.newest(None)) == kept[::-1]
    for recipient in ("+1", "+2", "+3"):
        own = [one for one in kept[::-1] if one.recipient == recipient]
        assert list(ledger.newest(recipient)) == own
        below = len(made) // 2
        assert list(ledger.newest(recipient, below)) == [one for one in own if one.seq < below]
    assert [one for one in made if ledger.get(one.id)] == kept


def test_an_id_of_ours_that_comes_twice_is_a_duplicate() -> None:
    """Also when the vendor gave it two ids; messages without an id of ours are not compared."""
    ledger = Ledger(10)
    for number, our_id in enumerate(["a", "b", "a", None, None]):
        ledger.add(entry(number, our_id=our_id))
    assert (ledger.distinct(), ledger.duplicates, ledger.times("a")) == (2, {"a"}, 2)


def test_inbound_messages_are_not_counted_as_accepted() -> None:
    """They are the vendor's to show, not ours to have sent."""
    ledger = Ledger(10)
    ledger.add(entry(1, direction="inbound", our_id="a"))
    assert (sum(ledger.accepted.values()), ledger.distinct()) == (0, 0)
    assert ledger.get("SM1") is not None


def test_a_long_body_is_cut_but_its_hash_is_of_the_whole() -> None:
    """So that a mail of megabytes costs the ledger little."""
    ledger = Ledger(10)
    long = entry(1)
    long.body = "x" * 30_000
    whole = shown(long)["body_sha256"]
    ledger.add(long)
    assert (len(long.body), shown(long)["body_sha256"]) == (20_000, whole)


async def test_the_ledger_is_read_in_pages_and_by_vendor(sim: Stage) -> None:
    """`next` is where to go on, and null at the end."""
    for number in range(3):
        await send(sim, f"n{number}")
    await mail(sim)
    page = await sim.get("ledger?vendor=twilio&limit=2")
    assert [one["body"] for one in page["entries"]] == ["n0", "n1"]
    rest = await sim.get(f"ledger?vendor=twilio&after={page['next']}")
    assert ([one["body"] for one in rest["entries"]], rest["next"]) == (["n2"], None)
    assert len((await sim.get("ledger"))["entries"]) == 4


async def test_reset_forgets_messages_and_counts_but_not_the_faults(sim: Stage) -> None:
    """A test starts from nothing, under the faults it set before."""
    await sim.faults(error_pct=10, scenario=["error"])
    await send(sim)
    await send(sim)
    async with sim.http.delete(f"{sim.url}/control/ledger"):
        pass
    summary = await sim.get("ledger/summary")
    assert (summary["accepted"], summary["kept"], summary["requests"], summary["faults"]) == (0, 0, {}, {})
    assert (await sim.get("faults"))["error_pct"] == 10


async def test_bad_questions_are_refused_by_name(sim: Stage) -> None:
    """400 with the parameter that is wrong."""
    for query, field in (("vendor=x", "vendor"), ("after=-1", "after"), ("limit=%C2%B2", "limit")):
        async with sim.http.get(f"{sim.url}/control/ledger?{query}") as answer:
            assert answer.status == 400
            assert (await answer.json())["details"][0]["field"] == field
