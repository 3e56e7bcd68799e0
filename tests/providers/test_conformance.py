"""What every provider must do, whichever vendor is behind it."""

import asyncio
import socket
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from parley.core.outcome import Accepted, Rejected, SendFailed, Throttled, Unavailable, Unknown
from parley.providers.base import Provider
from tests.providers.vendors import (
    HTTP_VENDORS,
    NAMES,
    SECRETS,
    MailStage,
    Stage,
    answering,
    hanging_up,
    message,
    provider,
    silent,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
YES: dict[str, Any] = {
    "twilio": answering(201, {"sid": "SM1", "status": "queued"}),
    "sendgrid": answering(202, b"", {"X-Message-Id": "SM1"}),
    "telnyx": answering(200, {"data": {"id": "SM1"}}),
}
WORDS: dict[str, Any] = {
    "twilio": {"code": 0, "message": "no", "status": 0},
    "sendgrid": {"errors": [{"message": "no", "field": None, "help": None}]},
    "telnyx": {"errors": [{"code": "99999", "title": "no"}]},
}


async def failure(sending: Provider, **changes: Any) -> SendFailed:
    """The failure that sending ends in."""
    with pytest.raises(SendFailed) as caught:
        await sending.send(message(sending.name, **changes))
    return caught.value


@pytest.mark.parametrize("name", HTTP_VENDORS)
async def test_what_the_vendor_takes_is_accepted_under_its_id(
    name: str, stage: Stage, session: ClientSession
) -> None:
    """A message that the vendor takes is accepted, and the vendor's id of it is known."""
    stage.play = YES[name]
    accepted = await provider(name, session, stage.address).send(message(name))
    assert accepted == Accepted("SM1", accepted.http_status)
    assert len(stage.asked) == 1


@pytest.mark.parametrize("name", HTTP_VENDORS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Unavailable),
        (403, Rejected),
        (404, Unavailable),
        (413, Rejected),
        (429, Throttled),
        (500, Unavailable),
        (502, Unknown),
        (503, Unavailable),
        (504, Unknown),
    ],
)
async def test_a_refusal_in_the_vendors_words_means_what_its_status_says(
    name: str, status: int, kind: type[SendFailed], stage: Stage, session: ClientSession
) -> None:
    """Without a code that says more, the status decides, and the vendor's text is kept."""
    stage.play = answering(status, WORDS[name])
    failed = await failure(provider(name, session, stage.address))
    assert (type(failed), failed.http_status, failed.detail) == (kind, status, "no")


@pytest.mark.parametrize("name", HTTP_VENDORS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Unknown),
        (201, Unknown),
        (204, Unknown),
        (302, Unknown),
        (400, Unavailable),
        (403, Unavailable),
        (429, Throttled),
        (500, Unknown),
        (502, Unknown),
        (503, Unknown),
        (504, Unknown),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"{}", b"[1]", b"\xff{", b"[" * 5000])
async def test_an_unreadable_answer_is_never_taken_for_an_acceptance_or_a_final_no(
    name: str, status: int, kind: type[SendFailed], body: bytes, stage: Stage, session: ClientSession
) -> None:
    """Garbage may come from anything on the way: it neither accepts a message nor rejects it for good."""
    stage.play = answering(status, body, {"Location": f"{stage.address}/elsewhere"})
    assert type(await failure(provider(name, session, stage.address))) is kind
    assert len(stage.asked) == 1


@pytest.mark.parametrize("name", HTTP_VENDORS)
async def test_silence_after_the_request_is_unknown(name: str, stage: Stage, session: ClientSession) -> None:
    """A vendor that takes the request and does not answer may have the message."""
    stage.play = silent
    sending = provider(name, session, stage.address, provider_timeout_secs=0.3)
    assert type(await failure(sending)) is Unknown


@pytest.mark.parametrize("name", HTTP_VENDORS)
async def test_a_connection_lost_after_the_request_is_unknown(
    name: str, stage: Stage, session: ClientSession
) -> None:
    """A vendor that takes the request and hangs up may have the message."""
    stage.play = hanging_up
    assert type(await failure(provider(name, session, stage.address))) is Unknown


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_connection_is_unavailable(name: str, session: ClientSession) -> None:
    """Nothing left, so that the message may go out again or over another vendor."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert type(await failure(provider(name, session, address))) is Unavailable


@pytest.mark.parametrize("name", NAMES)
async def test_a_host_that_is_nowhere_is_unavailable(name: str, session: ClientSession) -> None:
    """A name that does not resolve is no connection."""
    assert type(await failure(provider(name, session, "http://nowhere.invalid:80"))) is Unavailable


@pytest.mark.parametrize("name", HTTP_VENDORS)
async def test_a_wait_for_a_free_connection_is_unavailable(name: str, stage: Stage) -> None:
    """A request that waited its time for a connection of the pool never left."""
    stage.play = silent
    async with ClientSession(connector=TCPConnector(limit=1)) as narrow, asyncio.TaskGroup() as group:
        first = group.create_task(failure(provider(name, narrow, stage.address, provider_timeout_secs=0.6)))
        await stage.heard.wait()
        second = await failure(provider(name, narrow, stage.address, provider_timeout_secs=0.3))
    assert (type(second), type(first.result())) == (Unavailable, Unknown)
    assert len(stage.asked) == 1


@pytest.mark.parametrize("name", HTTP_VENDORS)
@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({}, None, None),
        ({"Retry-After": "7"}, 7, 7),
        ({"Retry-After": "1.5"}, 1.5, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400, 86_400),
        ({"Retry-After": "999999999999"}, 86_400, 86_400),
        ({"Retry-After": "soon"}, None, None),
        ({"Retry-After": "-5"}, None, None),
        ({"Retry-After": "inf"}, None, None),
    ],
)
async def test_a_throttled_message_waits_as_long_as_it_was_asked_to(
    name: str,
    headers: dict[str, str],
    low: float | None,
    high: float | None,
    stage: Stage,
    session: ClientSession,
) -> None:
    """Retry-After is honoured as seconds and as a date, bounded by a day, and ignored where it is nonsense."""
    stage.play = answering(429, WORDS[name], headers)
    failed = await failure(provider(name, session, stage.address))
    if low is None or high is None:
        assert failed.retry_after is None
    else:
        assert failed.retry_after is not None
        assert low <= failed.retry_after <= high


@pytest.mark.parametrize("name", NAMES)
async def test_no_secret_shows_in_a_provider_or_its_failures(
    name: str, stage: Stage, mail: MailStage, session: ClientSession
) -> None:
    """Whatever fails, no credential is in what may be logged."""
    stage.play = answering(401, WORDS.get(name, {}))
    mail.replies["MAIL"] = "550 no"
    login = {"smtp_username": "desk", "smtp_password": SECRETS["smtp_password"]}
    for address in (mail.address if name == "smtp" else stage.address, "http://127.0.0.1:1"):
        sending = provider(name, session, address, **login)
        failed = await failure(sending)
        shown = repr(sending) + repr(failed) + "".join(traceback.format_exception(failed))
        assert not [secret for secret in SECRETS.values() if secret in shown]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "twilio"])
async def test_a_vendor_that_cannot_be_asked_says_so(name: str, session: ClientSession) -> None:
    """None from `find` would mean that the vendor lacks the message, which nobody can know here."""
    asking = provider(name, session)
    assert not asking.can_look_up
    with pytest.raises(Unknown):
        await asking.find(message(name), NOW)
