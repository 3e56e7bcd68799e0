"""What makes the service fast, in figures that do not depend on the machine or its mood."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from types import FrameType

import msgspec
import pytest
from starlette.types import ASGIApp, Message

from parley.core.message import Draft
from parley.db.bell import Bell
from parley.db.pool import Database, open_database
from parley.messages.store import store
from parley.messages.writer import message_batcher
from parley.runtime import application
from parley.settings import Settings
from tests.drafts import inbound, outbound
from tests.wire import Wire, tapped

_numbers = count()
_MOST_CALLS = 250
_NOT_COUNTED = ("structlog", "/asyncio/", "/selectors.py", "/rich/", __file__)


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """A tapped line to a fresh database."""
    with tempfile.TemporaryDirectory(prefix="parley-wire-") as folder:
        async with tapped(database_url, Path(folder)) as tap:
            yield tap


@pytest.fixture
async def db(wire: Wire) -> AsyncIterator[Database]:
    """A pool on the tapped line, with one connection that has prepared its statement."""
    async with open_database(wire.url, 1, "parley guard") as opened:
        await store(opened, _from_known(2))
        await store(opened, _from_known(1))
        yield opened


def _from_known(many: int) -> list[Draft]:
    """Messages in both directions of one conversation, each new."""
    return [
        outbound() if number % 2 else inbound(f"guard-{next(_numbers)}", raw=b"{}") for number in range(many)
    ]


def _from_strangers(many: int) -> list[Draft]:
    return [inbound(f"guard-{n}", sender=f"+1804556{n:04d}") for n in (next(_numbers) for _ in range(many))]


@pytest.mark.parametrize("many", [1, 256])
async def test_a_batch_is_one_round_trip(db: Database, wire: Wire, many: int) -> None:
    """However many messages go together, the database is asked once, and its connection needs no tidying up."""
    before = wire.round_trips
    await store(db, _from_known(many))
    assert wire.round_trips - before == 1


async def test_opening_conversations_costs_the_same_for_one_and_for_many(db: Database, wire: Wire) -> None:
    """Look, begin, lock the counter, open, look again, commit."""
    await store(db, _from_strangers(1))  # which prepares the statements
    spent = []
    for many in (1, 100):
        before = wire.round_trips
        await store(db, _from_strangers(many))
        spent.append(wire.round_trips - before)
    assert spent == [6, 6]


async def test_what_waits_goes_together(db: Database, wire: Wire) -> None:
    """600 messages that are put at once make three statements; the bell rings beside them, not for each."""
    batcher = message_batcher(db, bell := Bell(db))
    before = wire.round_trips
    await asyncio.gather(*map(batcher.put, _from_known(600)))
    await batcher.close()
    await bell.close()
    assert 3 <= wire.round_trips - before <= 3 + 3


async def test_a_request_asks_the_database_for_nothing_but_its_commit(wire: Wire, settings: Settings) -> None:
    """Validation, limits that are off, metrics and logs cost no statement; one more each may be the bell."""
    async with application(msgspec.structs.replace(settings, database_url=wire.url)) as app:
        for _ in range(3):
            await _post(app)
        before = wire.round_trips
        for _ in range(50):
            await _post(app)
        assert 50 <= wire.round_trips - before <= 100


async def test_a_webhook_costs_few_calls(settings: Settings) -> None:
    """Python's own measure of work: how many functions are called from the request to the answer."""
    async with application(settings) as app:
        for _ in range(10):
            await _post(app)
        assert min([await _calls(app) for _ in range(30)]) <= _MOST_CALLS


async def test_a_batch_is_several_times_cheaper_than_its_messages_one_by_one(db: Database) -> None:
    """That is the whole point of the group commit; the best of three tries, as both take the same machine."""
    ratios = []
    for _ in range(3):
        together, alone = _from_known(128), _from_known(128)
        began = time.perf_counter()
        await store(db, together)
        between = time.perf_counter()
        for draft in alone:
            await store(db, [draft])
        ratios.append((time.perf_counter() - between) / (between - began))
    assert max(ratios) >= 4


async def _calls(app: ASGIApp) -> int:
    """Count the calls of one request; those of the log are left out, since tests configure it as they like."""
    counted = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event == "call" and not any(part in frame.f_code.co_filename for part in _NOT_COUNTED)

    sys.setprofile(note)
    try:
        await _post(app)
    finally:
        sys.setprofile(None)
    return counted


async def _post(app: ASGIApp) -> None:
    """One webhook, given to the application as the server would."""
    body = msgspec.json.encode(
        {
            "from": "+18045551234",
            "to": "+12016661234",
            "body": "Hi",
            "messaging_provider_id": f"g-{next(_numbers)}",
        }
    )
    path = "/api/webhooks/sms"
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
    }  # fmt: skip
    statuses = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    await app(scope, receive, send)
    assert statuses[0] == 202
