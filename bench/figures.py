"""What a run finds out, as values that can be written down and drawn again."""

from collections.abc import Callable, Iterable
from statistics import median
from typing import TypeVar

import msgspec


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """A few seconds of load on one contender."""

    round: int
    who: str
    kind: str
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    generator_cores: float
    """What the load generator took; pgbench is its own."""
    program_us: float
    """Processor time of the web processes, per message."""
    database_us: float
    log_bytes: float
    """Write-ahead log per message."""


T = TypeVar("T")


def middle(rounds: Iterable[T], of: Callable[[T], float]) -> float:
    """The median over rounds."""
    return median(of(one) for one in rounds)


class Bursts:
    """Bursts, asked for medians over the rounds."""

    def __init__(self, bursts: Iterable[Burst]) -> None:
        self._bursts = list(bursts)

    def of(self, who: str, kind: str, connections: int) -> list[Burst]:
        """One contender's bursts of one kind, a round each."""
        wanted = (who, kind, connections)
        return [burst for burst in self._bursts if (burst.who, burst.kind, burst.connections) == wanted]

    def median(self, who: str, kind: str, connections: int, of: Callable[[Burst], float]) -> float:
        """The median over the rounds."""
        return middle(self.of(who, kind, connections), of)

    def ratio(self, kind: str, connections: int, one: str, other: str, of: Callable[[Burst], float]) -> float:
        """The median of the rounds' ratios, so that a slow minute of the machine hits both."""
        pairs = zip(self.of(one, kind, connections), self.of(other, kind, connections), strict=True)
        return median(of(first) / of(second) for first, second in pairs)
