"""Faults come as ordered: in share, by seed, by scenario, and only where they are meant."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.simulators.config import Faults, Knobs
from parley.simulators.faults import FaultPlan
from tests.simulators.clients import AUTH, PATH, mail, send
from tests.simulators.stage import Catcher, Stage


def draws(faults: Faults, vendor: Any, count: int) -> list[str]:
    """What the next requests of a vendor will suffer."""
    plan = FaultPlan(faults).of(vendor)
    return [plan.draw() for _ in range(count)]


async def test_a_scenario_is_played_in_order_and_then_ends(sim: Stage) -> None:
    """Each word meets exactly one request."""
    await sim.faults(scenario=["error", "ratelimit", "ok", "refuse", "drop", "silence"])
    statuses = [await send(sim, timeout=0.3) for _ in range(7)]
    assert statuses == [500, 429, 201, 503, "cut", "silence", 201]
    summary = await sim.get("ledger/summary")
    assert summary["faults"] == {"error": 1, "ratelimit": 1, "refuse": 1, "drop": 1, "silence": 1}
    assert (summary["accepted"], summary["requests"]) == (3, {"twilio": 7})
    assert (await sim.get("faults"))["scenario"] == []


async def test_silence_accepts_and_never_answers(sim: Stage) -> None:
    """The message is in the ledger, marked as not answered, and a look at the list finds it."""
    await sim.faults(timeout_pct=100)
    assert await send(sim, "lost?", timeout=0.2) == "silence"
    entries = (await sim.get("ledger"))["entries"]
    assert [(entry["body"], entry["answered"]) for entry in entries] == [("lost?", False)]
    async with sim.http.get(f"{sim.url}{PATH}?To=%2B12016661234", headers=AUTH) as answer:
        assert [message["body"] for message in (await answer.json())["messages"]] == ["lost?"]


async def test_what_a_fault_refused_is_in_no_ledger(sim: Stage) -> None:
    """500, 429, 503 and a cut connection all mean: not accepted."""
    for word in ("error", "ratelimit", "refuse", "drop"):
        await sim.faults(scenario=[word])
        assert await send(sim) != 201
    assert (await sim.get("ledger/summary"))["accepted"] == 0


async def test_a_dead_vendor_answers_everything_with_503(sim: Stage) -> None:
    """`down` holds for reading too, and only for the vendor that is down."""
    await sim.faults(twilio={"down": True})
    assert await send(sim) == 503
    async with sim.http.get(sim.url + PATH, headers=AUTH) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, 20503)
    assert await mail(sim) == 202


async def test_the_narrowest_circle_wins(sim: Stage) -> None:
    """A vendor's knob beats its channel's, which beats everybody's."""
    await sim.faults(error_pct=100, email={"error_pct": 0}, twilio={"error_pct": 0, "refuse_pct": 100})
    assert await mail(sim) == 202
    assert await send(sim) == 503


async def test_slowness_delays_the_answer(sim: Stage) -> None:
    """slow_ms is the least time that a request takes."""
    await sim.faults(slow_ms=120)
    start = asyncio.get_running_loop().time()
    assert await send(sim) == 201
    assert asyncio.get_running_loop().time() - start >= 0.12


async def test_a_client_that_does_not_wait_misses_the_answer_but_not_the_acceptance(sim: Stage) -> None:
    """A slow vendor works on after the client has given up."""
    await sim.faults(slow_ms=5000)
    assert await send(sim, timeout=0.1) == "silence"
    await sim.faults()
    assert [entry["answered"] for entry in (await sim.get("ledger"))["entries"]] == [False]


async def test_lost_callbacks_never_come(sim: Stage, catcher: Catcher) -> None:
    """All others still do."""
    await sim.faults(callback_lost_pct=100)
    await send(sim, callback=f"{catcher.url}/lost")
    await sim.faults()
    await send(sim, callback=f"{catcher.url}/kept")
    calls = await catcher.first(2)
    assert [call.url for call in calls] == [f"{catcher.url}/kept"] * 2


async def test_doubled_callbacks_come_twice(sim: Stage, catcher: Catcher) -> None:
    """The same event, to the letter."""
    await sim.faults(callback_doubled_pct=100)
    await send(sim, callback=f"{catcher.url}/twice")
    calls = await catcher.first(4)
    assert Counter(call.form()["MessageStatus"] for call in calls) == {"sent": 2, "delivered": 2}
    assert len({call.headers["i-twilio-idempotency-token"] for call in calls}) == 2


async def test_reordered_callbacks_come_backwards(sim: Stage, catcher: Catcher) -> None:
    """The last status first."""
    await sim.faults(callback_reordered_pct=100)
    await send(sim, callback=f"{catcher.url}/back")
    calls = await catcher.first(2)
    assert [call.form()["MessageStatus"] for call in calls] == ["delivered", "sent"]


@pytest.mark.parametrize(
    ("faults", "field"),
    [
        ({"error_pct": 101}, "error_pct"),
        ({"error_pct": "many"}, "error_pct"),
        ({"twilio": {"slow_ms": -1}}, "twilio.slow_ms"),
        ({"scenario": ["boom"]}, "scenario[0]"),
        ({"nonsense": 1}, "nonsense"),
        ({"sms": {"nonsense": 1}}, "sms.nonsense"),
        ({"error_pct": 60, "timeout_pct": 60}, "error_pct"),
    ],
)
async def test_a_bad_value_is_refused_by_name_and_changes_nothing(
    sim: Stage, faults: dict[str, Any], field: str
) -> None:
    """400, and the faults in force stay in force."""
    await sim.faults(error_pct=3)
    async with sim.http.put(f"{sim.url}/control/faults", json=faults) as answer:
        assert answer.status == 400
        assert (await answer.json())["details"][0]["field"] == field
    assert (await sim.get("faults"))["error_pct"] == 3


async def test_what_is_read_can_be_put_back(sim: Stage) -> None:
    """GET shows every knob of everybody, and its answer is a valid PUT."""
    await sim.faults(error_pct=1.5, sms={"seed": 9}, twilio={"scenario": ["error"]})
    shown = await sim.get("faults")
    assert shown["slow_ms"] == 0
    await sim.faults(**shown)
    assert await sim.get("faults") == shown


@given(seed=st.integers(), error=st.integers(0, 40), silence=st.integers(0, 40))
def test_the_same_seed_throws_the_same_faults(seed: int, error: int, silence: int) -> None:
    """A run can be repeated exactly, and each vendor has dice of its own."""
    faults = Faults(seed=seed, error_pct=error, timeout_pct=silence)
    assert draws(faults, "twilio", 50) == draws(faults, "twilio", 50)


@pytest.mark.parametrize("share", [0, 1, 25, 100])
def test_faults_keep_to_their_share(share: float) -> None:
    """Over many requests the share is met; none at 0, all at 100."""
    hit = draws(Faults(seed=7, error_pct=share), "sendgrid", 20_000).count("error")
    assert abs(hit - 200 * share) <= (0 if share in (0, 100) else 300)


def test_vendors_do_not_share_dice_unless_seeded_alike() -> None:
    """Traffic to one vendor does not shift what happens at another."""
    faults = Faults(seed=7, error_pct=50)
    assert draws(faults, "twilio", 100) != draws(faults, "sendgrid", 100)
    narrow = Faults(seed=7, error_pct=50, twilio=Knobs(seed=8))
    assert draws(narrow, "twilio", 100) != draws(faults, "twilio", 100)
