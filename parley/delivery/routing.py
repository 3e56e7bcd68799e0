"""Which providers may be given how much right now: their order, their health, what they already have in hand."""

from collections.abc import Collection, Iterator, Mapping

from parley.core.message import CHANNELS, Channel
from parley.delivery.health import Seen
from parley.delivery.queue import Route
from parley.delivery.rules import Rules
from parley.metrics import FAMILIES
from parley.providers.base import Provider
from parley.providers.registry import Providers

NOBODY = "none"
"""Carries what no provider is configured for, so that it ends as a dead letter and does not wait for ever."""


class Routing:
    """The order of the providers of each channel, which settings fix, and the room that changes all the time."""

    def __init__(self, providers: Providers, rules: Rules) -> None:
        self._rules = rules
        self._orders: dict[Channel, list[str]] = {
            channel: [provider.name for provider in providers.by_channel.get(channel, ())] or [NOBODY]
            for channel in CHANNELS
        }
        self.families = {name: _family(provider) for name, provider in providers.by_name.items()}

    def routes(
        self, breakers: Mapping[str, Seen], probing: Collection[str], in_hand: Mapping[str, int]
    ) -> Iterator[Route]:
        """The routes for one claim; `probing` are the providers whose turn to be probed this worker has."""
        for channel, names in self._orders.items():
            for n, name in enumerate(names):
                seen = breakers.get(name, Seen())
                room = max(0, self._rules.concurrency - in_hand.get(name, 0))
                if seen.breaker.state != "closed":
                    room = min(room, self._rules.probes) if name in probing else 0
                yield Route(channel, n, len(names), name, room, seen.opens_in)


def _family(provider: Provider) -> str:
    return FAMILIES[min(provider.channels)]
