"""The way in to a vendor: its faults first, then its own answer."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from starlette.types import Receive, Scope, Send

from parley.simulators.config import Fault, VendorName
from parley.simulators.faults import VendorFaults
from parley.simulators.wire import Answer, Call, Gone, TooLarge, give, hang_up, hold, leaves_within, read
from parley.simulators.world import World

_log = structlog.get_logger("parley.simulators")


class Vendor(NamedTuple):
    """A vendor's name, the size of request it takes, and how it says that something is wrong."""

    name: VendorName
    limit: int
    broken: Answer
    throttled: Answer
    refused: Answer
    too_large: Answer
    wrong_method: Answer


class Act(NamedTuple):
    """What a method does; only handing over a message suffers the faults that are drawn."""

    respond: Callable[[Call], Answer]
    hands_over: bool = False


class Door:
    """One path of a vendor, as an ASGI application."""

    def __init__(self, world: World, vendor: Vendor, **acts: Act) -> None:
        self._world = world
        self._vendor = vendor
        self._acts = acts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._world.requests[self._vendor.name] += 1
        faults = self._world.faults.of(self._vendor.name)
        act = self._acts.get(scope["method"])
        fault = faults.draw() if act and act.hands_over and not faults.down else "ok"
        try:
            answer = self._refusal(act, fault, faults) or await self._ask(act, scope, receive)
        except Gone:
            return
        if answer.entry is not None:
            _log.info("accepted", vendor=self._vendor.name, id=answer.entry.id, mock=True)
        if fault == "drop":
            await hang_up(scope, receive, send)
        elif fault == "silence" and answer.entry is not None:
            faults.note(fault)
            await hold(scope, receive, send, self._world.config.silence_secs)
        else:
            await self._give(answer, faults, receive, send)

    def _refusal(self, act: Act | None, fault: Fault, faults: VendorFaults) -> Answer | None:
        """How the vendor turns a request away without looking at it."""
        if faults.down:
            faults.note("down")
            return self._vendor.refused
        if act is None:
            return self._vendor.wrong_method
        if fault in ("ok", "silence"):
            return None
        faults.note(fault)
        if fault == "error":
            return self._vendor.broken
        if fault == "ratelimit":
            return self._vendor.throttled.adding((b"retry-after", b"%d" % faults.retry_after))
        return self._vendor.throttled if fault == "ratelimit_bare" else self._vendor.refused

    async def _ask(self, act: Act | None, scope: Scope, receive: Receive) -> Answer:
        assert act is not None
        try:
            return act.respond(Call(scope, await read(receive, self._vendor.limit)))
        except TooLarge:
            return self._vendor.too_large

    async def _give(self, answer: Answer, faults: VendorFaults, receive: Receive, send: Send) -> None:
        """Answer, slowly if so ordered; a client that does not wait misses the answer, not the acceptance."""
        if faults.slow_secs:
            faults.note("slow")
            if await leaves_within(receive, faults.slow_secs):
                return
        if answer.entry is not None:
            answer.entry.answered = True
        await give(send, answer)
