"""Reads: the same questions to ten thousand, a million and ten million messages, in the same minutes."""

import contextlib
import io
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from bench.connected import connected
from bench.load import load
from bench.meter import Meter
from bench.past import Size
from bench.plan import Plan
from bench.programs import Crew, Yard
from bench.stage import Stage
from bench.texts import Texts
from bench.wrk import wrk
from parley.core.page import encode_cursor

KINDS = ("list", "page 1,000", "thread", "search")
CONNECTIONS = 4
_MESSAGES_A_CONVERSATION = 20
_PAGE, _DEPTH = 50, 1000
_ADDRESSES = 500
_LOAD_RATE, _INDEX_RATE = 110_000, 50_000
_OVERHEAD_SECONDS = 0.3

_PLACE = """
select last_activity_at, id from conversations where account_id = 1
order by last_activity_at desc, id desc offset $1 limit 1
"""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """How long one kind of question took among so many messages."""

    round: int
    kind: str
    messages: int
    rate: float
    p50_ms: float
    p99_ms: float


class Library:
    """A database of some size, with the web processes that read it and the addresses to ask for."""

    def __init__(self, messages: int, crew: Crew, addresses: dict[str, Path]) -> None:
        self.messages = messages
        self._crew = crew
        self._addresses = addresses
        crew.pause()

    async def read(self, number: int, kind: str, seconds: int) -> Read:
        """Ask one kind of question for so long."""
        self._crew.resume()
        try:
            run = await wrk(
                self._crew.url, "pages", str(self._addresses[kind]), connections=CONNECTIONS, seconds=seconds
            )
        finally:
            self._crew.pause()
        return Read(
            round=number, kind=kind, messages=self.messages,
            rate=run.rate, p50_ms=run.p50_ms, p99_ms=run.p99_ms,
        )  # fmt: skip


async def measure(stage: Stage, plan: Plan, meter: Meter) -> list[Read]:
    """Load all sizes first; then ask each in turn."""
    reads = []
    async with AsyncExitStack() as stack:
        libraries = []
        for messages in plan.sizes:
            with meter.step(f"loading {messages:,} messages", _load_seconds(plan, messages)):
                searched = messages in plan.searched
                libraries.append(
                    await stack.enter_async_context(_library(stage, messages, searched=searched))
                )
        await stage.checkpoint()
        # The round before the first only warms caches.
        for number in range(1 if plan.quick else 0, plan.readings + 1):
            for kind in KINDS:
                for library in libraries:
                    if kind == "search" and library.messages not in plan.searched:
                        continue
                    # Of searches there are few in a second.
                    seconds = plan.seconds if number and kind == "search" else 1
                    with meter.step(f"{kind} among {library.messages:,}", seconds + _OVERHEAD_SECONDS):
                        read = await library.read(number, kind, seconds)
                    reads += [read] if number else []
    return reads


def planned_seconds(plan: Plan) -> float:
    """How long this takes, roughly."""
    bursts = (plan.readings + (not plan.quick)) * len(KINDS) * len(plan.sizes)
    longer = plan.readings * len(plan.searched) * (plan.seconds - 1)
    loading = sum(_load_seconds(plan, messages) for messages in plan.sizes)
    return loading + bursts * (1 + _OVERHEAD_SECONDS) + longer


def _load_seconds(plan: Plan, messages: int) -> float:
    return messages / _LOAD_RATE + (messages / _INDEX_RATE if messages in plan.searched else 0)


@asynccontextmanager
async def _library(stage: Stage, messages: int, *, searched: bool) -> AsyncIterator[Library]:
    name = f"reads_{messages}"
    url = await stage.database(name)
    conversations = messages // _MESSAGES_A_CONVERSATION
    with contextlib.redirect_stdout(io.StringIO()):
        await load(url, Size(messages, conversations), searchable=searched)
    yard = Yard(stage.folder / name, url)
    addresses = {}
    for kind, paths in zip(KINDS, await _paths(url, conversations), strict=True):
        addresses[kind] = yard.folder / f"{kind}.txt"
        addresses[kind].write_text("".join(f"{path}\n" for path in paths))
    async with yard.web(2) as crew:
        yield Library(messages, crew, addresses)
    await stage.drop(name)


async def _paths(url: str, conversations: int) -> list[list[str]]:
    """What to ask for, in the order of the kinds."""
    dice, texts = random.Random(1), Texts(1)
    threads = [f"/api/conversations/{dice.randint(1, conversations)}/messages" for _ in range(_ADDRESSES)]
    words = [
        " ".join(dice.sample(texts.short(dice.randrange(10**6)).body.split(), 2)) for _ in range(_ADDRESSES)
    ]
    async with connected(url) as connection:
        # The last page where there are not so many.
        skipped = min(_PAGE * (_DEPTH - 1), conversations - _PAGE) - 1
        place = await connection.fetchrow(_PLACE, skipped)
    assert place is not None
    deep = urlencode({"cursor": encode_cursor(place["last_activity_at"], place["id"])})
    return [
        ["/api/conversations"],
        [f"/api/conversations?{deep}"],
        threads,
        [f"/api/search?q={quote(phrase)}" for phrase in words],
    ]
