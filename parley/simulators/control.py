"""The simulation's own interface: faults, ledger, inbound messages."""

import re
from itertools import islice
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientSession
from starlette.requests import Request
from starlette.responses import Response

from parley.core.errors import Detail, Invalid
from parley.simulators.config import Faults
from parley.simulators.faults import VENDORS
from parley.simulators.inbound import Order, Unreachable, deliver
from parley.simulators.ledger import shown
from parley.simulators.wire import Call, json_encode
from parley.simulators.world import World

T = TypeVar("T")

_MOST_ENTRIES = 10_000
_MOST_DUPLICATES = 1_000
_NAMED = re.compile(r"field `([^`]+)`")
_AT = re.compile(r"at `(?:key in )?\$\.?([^`]*)`")


class Control:
    """What `/control/…` answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def read_faults(self, request: Request) -> Response:
        """The faults in force; a scenario shows what is left of it."""
        return _json(200, self._world.faults.shown())

    async def replace_faults(self, request: Request) -> Response:
        """Put other faults into force."""
        try:
            self._world.faults.use(_decode(await request.body(), Faults))
        except Invalid as wrong:
            return _invalid(wrong)
        return _json(200, self._world.faults.shown())

    async def read_ledger(self, request: Request) -> Response:
        """Accepted messages after a number, oldest first."""
        try:
            vendor = request.query_params.get("vendor", "")
            if vendor and vendor not in VENDORS:
                raise Invalid.field("vendor", "takes one of " + ", ".join(VENDORS))
            after = _number(request, "after", 0, 10**15)
            limit = _number(request, "limit", 1000, _MOST_ENTRIES)
        except Invalid as wrong:
            return _invalid(wrong)
        wanted = (
            entry
            for entry in self._world.ledger.after(after)
            if entry.direction == "outbound" and vendor in ("", entry.vendor)
        )
        found = list(islice(wanted, limit + 1))
        more = found[limit - 1].seq if 0 < limit < len(found) else None
        return _json(200, {"entries": [shown(entry) for entry in found[:limit]], "next": more})

    async def summary(self, request: Request) -> Response:
        """Counts of what was accepted, refused and called back since the last reset."""
        ledger = self._world.ledger
        twice = [
            {"message_id": id, "count": ledger.times(id)}
            for id in islice(ledger.duplicates, _MOST_DUPLICATES)
        ]
        return _json(
            200,
            {
                "accepted": sum(ledger.accepted.values()),
                "accepted_by_vendor": ledger.accepted,
                "kept": len(ledger),
                "distinct": ledger.distinct(),
                "duplicated": len(ledger.duplicates),
                "duplicates": twice,
                "requests": self._world.requests,
                "faults": self._world.faults.injected,
                "callbacks": {**self._world.postbox.counts, "waiting": self._world.postbox.waiting},
            },
        )

    async def reset(self, request: Request) -> Response:
        """Forget everything but the faults in force."""
        await self._world.reset()
        return Response(status_code=204)

    async def inbound(self, request: Request) -> Response:
        """Let a person write to us."""
        try:
            order = _decode(await request.body(), Order)
            session: ClientSession = request.app.state.session
            heard = await deliver(self._world, session, order, Call(request.scope, b"").origin)
        except Invalid as wrong:
            return _invalid(wrong)
        except Unreachable as nobody:
            return _json(502, {"code": "unreachable", "message": str(nobody), "details": []})
        return _json(200, heard)


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as wrong:
        raise _misfit(str(wrong)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("The body is not JSON") from None


def _misfit(text: str) -> Invalid:
    """Name the field that msgspec complains about."""
    at, named = _AT.search(text), _NAMED.search(text)
    parts = [part for part in (at[1] if at else "", named[1] if named else "") if part]
    return Invalid(text, (Detail(".".join(parts) or "body", text.partition(" - at ")[0]),))


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Invalid.field(name, "takes a whole number")
    return min(int(text), most)


def _invalid(wrong: Invalid) -> Response:
    return _json(400, {"code": wrong.code, "message": wrong.message, "details": wrong.details})


def _json(status: int, value: Any) -> Response:
    return Response(json_encode(value), status, media_type="application/json")
