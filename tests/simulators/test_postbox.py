"""Callbacks are tried again, bounded, and never in the way of accepting."""

import asyncio
from typing import Any

from aiohttp import ClientSession

from parley.simulators.config import Simulation
from parley.simulators.postbox import Letter, Parcel, Postbox
from tests.simulators.clients import mail, send
from tests.simulators.sdks import THEM, US, with_telnyx
from tests.simulators.stage import Catcher, Stage, catching, listener, running


async def until(sim: Stage, key: str, count: int) -> dict[str, Any]:
    """Wait for a counter of callbacks."""
    async with asyncio.timeout(10):
        while (counts := (await sim.get("ledger/summary"))["callbacks"]).get(key, 0) < count:
            await asyncio.sleep(0.01)
        return dict(counts)


def nowhere() -> str:
    """An address at which nobody listens."""
    bound = listener()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    bound.close()
    return url


async def test_a_5xx_is_tried_again_with_the_same_event(sim: Stage, catcher: Catcher) -> None:
    """The vendor's event id tells the receiver that it is a repeat."""
    catcher.answers = [500]
    await send(sim, callback=f"{catcher.url}/again")
    calls = await catcher.first(3)
    assert len({call.headers["i-twilio-idempotency-token"] for call in calls}) == 2
    assert (await until(sim, "sent", 2))["retried"] == 1


async def test_a_4xx_is_not_tried_again(sim: Stage, catcher: Catcher) -> None:
    """The receiver said no."""
    catcher.answers = [404, 404]
    await send(sim, callback=f"{catcher.url}/no")
    counts = await until(sim, "sent", 2)
    assert counts == {"sent": 2, "waiting": counts["waiting"]}


async def test_a_batch_of_events_is_repeated_to_the_byte(sim: Stage, catcher: Catcher) -> None:
    """SendGrid's retries carry the very same array."""
    catcher.answers = [503]
    await mail(sim)
    calls = await catcher.first(2)
    assert calls[0].body == calls[1].body


async def test_an_unreachable_receiver_is_given_up_in_the_end(sim: Stage) -> None:
    """After the last attempt the callback counts as failed."""
    await send(sim, callback=nowhere())
    counts = await until(sim, "failed", 2)
    assert counts["retried"] == 4


async def test_telnyx_turns_to_the_failover_address(sim: Stage, catcher: Catcher) -> None:
    """When the first address never answers well."""
    await with_telnyx(
        sim,
        lambda client: client.messages.send(
            to=THEM,
            from_=US,
            text="x",
            webhook_url=nowhere(),
            webhook_failover_url=f"{catcher.url}/failover",
        ),
    )
    calls = await catcher.first(2)
    assert {call.url for call in calls} == {f"{catcher.url}/failover"}


async def test_a_full_backlog_drops_callbacks_but_accepts_messages() -> None:
    """Memory is bounded; what is dropped is counted."""
    config = Simulation(callback_backlog=3, sent_ms=60_000, delivered_ms=60_000)
    async with catching() as catcher, running(config) as sim:
        for _ in range(4):
            assert await send(sim, callback=catcher.url) == 201
        assert (await sim.get("ledger/summary"))["callbacks"] == {"dropped": 5, "waiting": 3}


async def test_a_receiver_that_hangs_does_not_hold_up_acceptance() -> None:
    """Also when every posting slot is taken."""
    hanging = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with running(Simulation(callback_concurrency=1, sent_ms=0, delivered_ms=0)) as sim:
        async with asyncio.timeout(5):
            assert [await send(sim, callback=url) for _ in range(20)] == [201] * 20
        assert (await sim.get("ledger/summary"))["callbacks"]["waiting"] == 40
        hanging.set()
    server.close()
    await server.wait_closed()


async def test_parcels_leave_in_the_order_in_which_they_are_due() -> None:
    """Not in the order in which they were put."""
    written: list[str] = []

    def parcel(name: str) -> Parcel:
        def write(url: str, attempt: int) -> Letter | None:
            written.append(name)
            return None

        return Parcel("http://127.0.0.1/", write, 1)

    postbox = Postbox(Simulation(callback_concurrency=1))
    postbox.put(0.02, parcel("second"))
    postbox.put(0.01, parcel("first"))
    async with ClientSession() as session:
        posting = asyncio.create_task(postbox.run(session))
        async with asyncio.timeout(5):
            while postbox.waiting:
                await asyncio.sleep(0.001)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    assert written == ["first", "second"]


async def test_after_a_reset_no_callback_of_before_arrives(sim: Stage, catcher: Catcher) -> None:
    """Neither one that waits, nor one under way, nor the repeat of one that failed."""
    catcher.answers = [500] * 20
    for _ in range(10):
        await send(sim, callback=f"{catcher.url}/before")
    await catcher.first(1)
    async with sim.http.delete(f"{sim.url}/control/ledger") as answer:
        assert answer.status == 204
    catcher.caught.clear()
    catcher.answers.clear()
    await send(sim, callback=f"{catcher.url}/after")
    calls = await catcher.until(lambda caught: any("delivered" in call.body.decode() for call in caught))
    assert {call.url for call in calls} == {f"{catcher.url}/after"}


async def test_stopping_cuts_requests_that_are_held() -> None:
    """A simulation that holds silent requests still ends at once."""
    async with running(Simulation()) as sim:
        await sim.faults(timeout_pct=100)
        held = asyncio.create_task(send(sim))
        async with asyncio.timeout(5):
            while (await sim.get("ledger/summary"))["accepted"] == 0:
                await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        assert await held == "cut"


async def test_a_silent_request_is_cut_in_the_end() -> None:
    """Nobody is held for ever."""
    async with running(Simulation(silence_secs=0.05)) as sim:
        await sim.faults(timeout_pct=100)
        assert await send(sim) == "cut"
