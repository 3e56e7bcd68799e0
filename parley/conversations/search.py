"""Finds conversations: first by name, address and number, then by the words of their messages, newest first.

However common a word is, a search reads hardly more than it shows: it stops at the shelf where it has enough.
Where it finds little for long it stops as well, and says where to go on.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from parley.conversations import read
from parley.conversations.question import (
    AmongNames,
    InThese,
    OnShelf,
    Place,
    Question,
    ask,
    read_place,
    write_place,
)
from parley.conversations.read import Conversation, Filter
from parley.core.page import Page
from parley.core.snippet import to_text
from parley.core.words import Fragment, Term, excerpt, highlight
from parley.db.pool import Connection, Database
from parley.db.sql import statements

_SQL = statements("parley.conversations", "search.sql")

# Searches cost more than anything else; the other connections are for everybody else.
_AT_ONCE = 2
_LATELY = 2000
_FEW = 2000
_ENOUGH_SECONDS = 0.1
_EXCERPT = 140


class Hit(msgspec.Struct, frozen=True):
    """The newest message of a conversation in which the words stand."""

    message_id: UUID
    direction: str
    channel: str
    timestamp: datetime
    subject: list[Fragment]
    excerpt: list[Fragment]


class Found(msgspec.Struct, frozen=True):
    """A conversation, and the message that it was found by; none where it was found by name or address."""

    conversation: Conversation
    hit: Hit | None


class _Some(msgspec.Struct):
    """What a search has come to: conversations with or without a message, and where there may be more."""

    found: list[tuple[int, UUID | None]]
    rest: Place | None


class Search:
    """Searches, a few at once."""

    def __init__(self, db: Database, snippet_length: int) -> None:
        self._db = db
        self._snippet_length = snippet_length
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def find(
        self, account_id: int, query: str, only: Filter, size: int, cursor: str | None = None
    ) -> Page[Found]:
        """One page of what is found; it may be short and yet have a next one."""
        place, question = read_place(cursor), ask(account_id, query, only.channels)
        if question is None:
            return Page([], None, None)
        async with self._turn, self._db.connection() as connection:
            some = await _Searcher(connection, account_id, question, only).look(place, size)
            items = await self._show(connection, account_id, question.terms, some.found)
        return Page(items, None, write_place(some.rest) if some.rest else None)

    async def _show(
        self,
        connection: Connection,
        account_id: int,
        terms: Sequence[Term],
        found: Sequence[tuple[int, UUID | None]],
    ) -> list[Found]:
        ids = [message_id for _, message_id in found if message_id]
        messages = await connection.fetch(_SQL["hits"], account_id, ids) if ids else []
        hits = {message["id"]: _hit(message, terms) for message in messages}
        numbers = [number for number, _ in found]
        rows = await read.rows(connection, account_id, numbers, self._snippet_length)
        conversations = {int(row.id): row for row in rows}
        return [
            Found(conversations[number], hits[message_id] if message_id else None)
            for number, message_id in found
        ]


class _Searcher:
    """One search on one connection."""

    def __init__(self, connection: Connection, account_id: int, question: Question, only: Filter) -> None:
        self._connection = connection
        self._account_id = account_id
        self._question = question
        self._only = only

    async def look(self, place: Place, size: int) -> _Some:
        """Go on at a place until there is enough."""
        if not isinstance(place, AmongNames):
            return await self._words(place, size)
        named = await self._names(place, size + 1)
        if len(named) > size:
            number, at = named[size - 1]
            return _Some([(number, None) for number, _ in named[:size]], AmongNames(number, at))
        more = await self._words(await self._begin(), size - len(named))
        return _Some([*((number, None) for number, _ in named), *more.found], more.rest)

    async def _names(self, place: AmongNames, limit: int) -> list[read.Place]:
        channels = list(self._only.channels) or None
        asked = (
            self._account_id,
            place.at,
            place.number,
            limit,
            self._question.names,
            self._only.state,
            channels,
        )
        rows = await self._connection.fetch(_SQL["lately"], *asked, _LATELY)
        if len(rows) < limit:
            rows = await self._connection.fetch(_SQL["ever"], *asked)
        return [(row["id"], row["last_activity_at"]) for row in rows]

    async def _begin(self) -> OnShelf | InThese:
        """Where few conversations are in the state, they are looked through; else the shelves are."""
        if self._only.state is None:
            return OnShelf()
        return InThese() if len(await self._these(_FEW + 1)) <= _FEW else OnShelf()

    async def _these(self, limit: int) -> list[int]:
        only = Filter(self._only.state)
        return [number for number, _ in await read.places(self._connection, self._account_id, only, limit)]

    async def _words(self, place: OnShelf | InThese, size: int) -> _Some:
        if isinstance(place, InThese):
            return await self._in_these(place, size)
        return await self._on_shelves(place, size)

    async def _in_these(self, place: InThese, size: int) -> _Some:
        rows = await self._connection.fetch(
            _SQL["in_these"], self._account_id, await self._these(_FEW), self._question.exact,
            self._question.names, place.message_id, size + 1,
        )  # fmt: skip
        if len(rows) <= size:
            return _Some(_found(rows), None)
        return _Some(_found(rows[:size]), InThese(rows[size - 1]["message_id"]) if size else place)

    async def _on_shelves(self, place: OnShelf, size: int) -> _Some:
        """Look at up to twice as many shelves each time, until there is enough or the time is over."""
        rows: list[asyncpg.Record] = []
        began, stride, looked = time.monotonic(), 1, 0
        first = place.shelf if place.shelf is not None else await self._newest_shelf()
        before = place.message_id
        while first >= 0:
            last = max(0, first - stride + 1)
            rows += await self._shelves(first, last, before, size + 1 - len(rows))
            if len(rows) > size:
                end = rows[size - 1] if size else None
                rest = OnShelf(end["shelf"], end["message_id"]) if end else place
                return _Some(_found(rows[:size]), rest)
            looked, first, before = looked + first - last + 1, last - 1, None
            spent = time.monotonic() - began
            if first >= 0 and spent > _ENOUGH_SECONDS:
                return _Some(_found(rows), OnShelf(first))
            # At the pace so far, no more of them than there is time for.
            stride = min(2 * stride, max(1, int(looked * (_ENOUGH_SECONDS / spent - 1))))
        return _Some(_found(rows), None)

    async def _shelves(
        self, first: int, last: int, before: UUID | None, limit: int
    ) -> "list[asyncpg.Record]":
        question = self._question
        return await self._connection.fetch(
            _SQL["on_shelves"], self._account_id, question.rough, question.exact, question.names,
            first, last, before, limit, self._only.state,
        )  # fmt: skip

    async def _newest_shelf(self) -> int:
        number: int | None = await self._connection.fetchval(_SQL["shelf"], self._account_id)
        return -1 if number is None else number


def _found(rows: "Iterable[asyncpg.Record]") -> list[tuple[int, UUID | None]]:
    return [(row["conversation_id"], row["message_id"]) for row in rows]


def _hit(message: asyncpg.Record, terms: Sequence[Term]) -> Hit:
    body = to_text(message["body"]) if message["channel"] == "email" else message["body"]
    return Hit(
        message_id=message["id"],
        direction=message["direction"],
        channel=message["channel"],
        timestamp=message["occurred_at"],
        subject=highlight(message["subject"] or "", terms),
        excerpt=excerpt(body, terms, _EXCERPT),
    )
