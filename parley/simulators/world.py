"""What the simulated vendors share: one ledger, one postbox, one set of faults, one memory of who opted out."""

import time
from collections import Counter

import msgspec

from parley.simulators.config import Simulation, VendorName
from parley.simulators.faults import FaultPlan
from parley.simulators.ledger import Ledger
from parley.simulators.optout import OptOuts
from parley.simulators.postbox import Parcel, Postbox


class World:
    """The state of one simulation."""

    def __init__(self, config: Simulation) -> None:
        self.config = config
        self.faults = FaultPlan(config.faults)
        self.ledger = Ledger(config.ledger_cap)
        self.postbox = Postbox(config)
        self.optouts = OptOuts()
        self.requests: Counter[str] = Counter()
        self.resets = [self.ledger.clear, self.postbox.clear, self.optouts.clear, self.requests.clear]

    def now(self) -> float:
        """The time, in seconds since 1970."""
        return time.time()

    async def reset(self) -> None:
        """Forget all messages, callbacks and opt-outs; after it no callback of before arrives. The faults stay."""
        for clear in self.resets:
            clear()
        self.faults.injected.clear()
        await self.postbox.settle()

    def call_back(self, vendor: VendorName, moments: list[float], parcels: list[Parcel]) -> None:
        """Post a message's callbacks at their moments (seconds from now), as far as the faults let them."""
        plans = zip(self.faults.of(vendor).schedule(moments), parcels, strict=True)
        turns = sorted(((moment, parcel) for times, parcel in plans for moment in times), key=_moment)
        previous: Parcel | None = None
        for moment, parcel in turns:
            previous = msgspec.structs.replace(parcel, follows=previous)
            self.postbox.put(moment, previous)


def _moment(turn: tuple[float, Parcel]) -> float:
    return turn[0]
