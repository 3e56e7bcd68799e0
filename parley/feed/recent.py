"""The latest events in memory, ready to be sent: what a reader who keeps up needs."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from parley.feed.read import Event, Position

_KEPT = 2000
_MOST_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode


class Recent:
    """All events after `floor`; the oldest make room for new ones."""

    def __init__(self, floor: Position) -> None:
        self.floor = floor
        self._positions: list[Position] = []
        self._frames: list[bytes] = []
        self._said: tuple[Position, tuple[bytes, Position]] | None = None

    @property
    def end(self) -> Position:
        """Behind the newest event."""
        return self._positions[-1] if self._positions else self.floor

    def add(self, events: Sequence[Event]) -> None:
        """Take in what follows."""
        self._positions += [Position.parse(event.id) for event in events]
        self._frames += [frame(event) for event in events]
        self._said = None
        # In one go from time to time, since taking from a list's front costs its length.
        if len(self._frames) >= 2 * _KEPT:
            self.floor = self._positions[-_KEPT - 1]
            del self._positions[:-_KEPT], self._frames[:-_KEPT]

    def after(self, position: Position) -> tuple[bytes, Position] | None:
        """The next events after a position, in one piece; nothing can be said of a time before the floor."""
        if position < self.floor:
            return None
        # Most readers stand at the same place.
        if self._said is None or self._said[0] != position:
            self._said = position, self._piece(position)
        return self._said[1]

    def _piece(self, position: Position) -> tuple[bytes, Position]:
        start = bisect_right(self._positions, position)
        frames = self._frames[start : start + _MOST_AT_ONCE]
        if not frames:
            return b"", position
        return b"".join(frames), self._positions[start + len(frames) - 1]


def frame(event: Event) -> bytes:
    """An event as a server-sent event."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), _encode(event))
