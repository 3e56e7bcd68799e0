"""Looking a message up at Twilio, after an attempt whose answer never came."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web

from parley.core.outcome import Accepted, Unknown
from tests.providers.vendors import ACCOUNT, Stage, answering, message, provider, silent

SINCE = datetime(2026, 3, 1, 12, 0, 30, 700_000, tzinfo=UTC)
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def listed(
    sid: str = "SM1", after: float = 0, sender: str | None = "+12025550100", **changes: Any
) -> dict[str, Any]:
    """A message in Twilio's list, created some seconds after the attempt; its times are whole seconds."""
    created = SINCE.replace(microsecond=0) + timedelta(seconds=after)
    plain = {
        "sid": sid,
        "to": "+12025550123",
        "from": sender,
        "messaging_service_sid": None,
        "body": "Your order is ready.",
        "date_created": format_datetime(created),
        "date_sent": None,
        "direction": "outbound-api",
        "status": "queued",
        "num_media": "0",
        "tags": None,
    }
    return plain | changes


def page(*messages: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    """A page of Twilio's list."""
    return {"messages": list(messages), "next_page_uri": following, "page": 0, "page_size": 100}


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([listed()], "SM1"),
        ([listed(after=40)], "SM1"),
        ([listed(after=-4)], "SM1"),
        ([listed(after=-60)], None),
        ([], None),
        ([listed(to="+12025550199")], None),
        ([listed(sender="+12025550199")], None),
        ([listed(sender=None)], None),
        ([listed(body="Your order is late.")], None),
        ([listed(body=None)], None),
        ([listed(body="Sent from your Twilio trial account - Your order is ready.")], "SM1"),
        ([listed(body="Your order  is ready.\n")], "SM1"),
        ([listed("SM2", body="Another text"), listed("SM3")], "SM3"),
        ([listed("SM9"), listed("SM3")], "SM3"),
        ([listed("SM9")], None),
    ],
)
async def test_a_message_is_known_by_its_addresses_its_text_and_its_time(
    messages: list[dict[str, Any]], found: str | None, stage: Stage, session: ClientSession
) -> None:
    """Anything that differs, is older than the attempt, or is another message of ours, is not the one."""
    stage.play = answering(200, page(*messages))
    asking = provider("twilio", session, stage.address)
    assert asking.can_look_up
    want = None if found is None else Accepted(found)
    assert await asking.find(message("twilio"), SINCE, known={"SM9"}) == want


async def test_the_list_is_asked_for_both_addresses_and_not_by_the_time_of_sending(
    stage: Stage, session: ClientSession
) -> None:
    """A message that still waits in Twilio's queue has no DateSent, and must be found too."""
    stage.play = answering(200, page())
    await provider("twilio", session, stage.address).find(message("twilio"), SINCE)
    [asked] = stage.asked
    assert (asked.method, asked.path) == (
        "GET",
        f"{LIST}?To=%2B12025550123&PageSize=100&From=%2B12025550100",
    )
    assert asked.headers["authorization"].startswith("Basic ")


async def test_a_messaging_service_is_no_sender_to_ask_for(stage: Stage, session: ClientSession) -> None:
    """Twilio chooses the number of a service later, so that only the service itself tells them apart."""
    service = "MG" + "3" * 32
    stage.play = answering(
        200, page(listed("SM2"), listed("SM3", messaging_service_sid=service, sender=None))
    )
    found = await provider("twilio", session, stage.address).find(message("twilio", sender=service), SINCE)
    assert found == Accepted("SM3")
    assert "From" not in stage.asked[0].path


async def test_the_list_is_read_on_until_it_is_older_than_the_attempt(
    stage: Stage, session: ClientSession
) -> None:
    """Pages follow one another by Twilio's own address, and no further than needed."""
    pages = {
        f"{LIST}?Page=1": page(listed("SM2", body="no"), following=f"{LIST}?Page=2"),
        f"{LIST}?Page=2": page(listed("SM3", after=-900), following=f"{LIST}?Page=3"),
    }

    async def play(request: web.BaseRequest) -> web.StreamResponse:
        first = page(listed("SM1", body="no"), following=f"{LIST}?Page=1")
        return web.Response(body=msgspec.json.encode(pages.get(request.path_qs, first)))

    stage.play = play
    assert await provider("twilio", session, stage.address).find(message("twilio"), SINCE) is None
    assert len(stage.asked) == 3


@pytest.mark.parametrize(
    "body",
    [
        page(listed(body="no"), following="@evil.example/list"),
        page(listed(body="no"), following="https://evil.example/list"),
        page(listed(body="no"), following=f"{LIST}?Page=1"),
        {"messages": "none"},
        {"messages": [{"sid": "SM1"}]},
        b"<html>",
    ],
)
async def test_a_list_that_does_not_end_well_is_unknown(
    body: Any, stage: Stage, session: ClientSession
) -> None:
    """None would send the message again; what was not read to its end proves nothing, and no host but Twilio's is asked."""
    stage.play = answering(200, body)
    with pytest.raises(Unknown):
        await provider("twilio", session, stage.address).find(message("twilio"), SINCE)
    assert {asked.headers["host"] for asked in stage.asked} == {stage.address.removeprefix("http://")}


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_a_look_up_that_fails_is_unknown(status: int, stage: Stage, session: ClientSession) -> None:
    """That Twilio cannot be asked does not mean that it lacks the message."""
    stage.play = answering(status, {"code": 20003, "message": "no"})
    with pytest.raises(Unknown):
        await provider("twilio", session, stage.address).find(message("twilio"), SINCE)


async def test_a_look_up_without_an_answer_is_unknown(stage: Stage, session: ClientSession) -> None:
    """Neither silence nor a refused connection is a no."""
    stage.play = silent
    for address in (stage.address, "http://127.0.0.1:1"):
        with pytest.raises(Unknown):
            await provider("twilio", session, address, provider_timeout_secs=0.3).find(
                message("twilio"), SINCE
            )


async def test_a_date_that_cannot_be_read_may_be_recent(stage: Stage, session: ClientSession) -> None:
    """What Twilio says of the time is believed only where it says something."""
    stage.play = answering(200, page(listed(date_created="soon")))
    assert await provider("twilio", session, stage.address).find(message("twilio"), SINCE) == Accepted("SM1")
