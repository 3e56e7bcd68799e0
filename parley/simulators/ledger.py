"""Every message that a simulated vendor accepted, in a ring of bounded size."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Literal

import msgspec

from parley.simulators.config import VendorName

_LONGEST_BODY = 20_000


class Entry(msgspec.Struct, kw_only=True, gc=False):
    """One message a vendor has; `our_id` is the client's own id where the vendor's protocol carries it."""

    vendor: VendorName
    id: str
    our_id: str | None
    sender: str
    recipient: str
    body: str
    accepted_at: float
    direction: Literal["outbound", "inbound"] = "outbound"
    segments: int = 1
    failure: int | None = None
    """The vendor's code with which delivery will fail."""
    answered: bool = False
    digest: str | None = None
    """Hash of a body that is too long to be kept whole."""
    extra: Any = None
    """What only this vendor needs to know of it."""
    seq: int = 0
    before: int = 0
    """Number of the previous message to the same recipient."""


class Ledger:
    """Entries numbered from 1; the oldest make room once there are more than `cap`."""

    def __init__(self, cap: int) -> None:
        self._cap = max(cap, 1)
        self.clear()

    def clear(self) -> None:
        """Forget everything; numbering starts again."""
        self._ring: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._latest: dict[str, int] = {}
        self._our_ids: Counter[str] = Counter()
        self._last = 0
        self.duplicates: set[str] = set()
        self.accepted: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Take a message in."""
        self._last += 1
        entry.seq = self._last
        if len(entry.body) > _LONGEST_BODY:
            entry.digest = _digest(entry.body)
            entry.body = entry.body[:_LONGEST_BODY]
        if len(self._ring) < self._cap:
            self._ring.append(entry)
        else:
            self._forget(self._ring[self._place(entry.seq)])
            self._ring[self._place(entry.seq)] = entry
        entry.before = self._latest.get(entry.recipient, 0)
        self._latest[entry.recipient] = entry.seq
        self._by_id[entry.id] = entry
        if entry.direction == "outbound":
            self._count(entry)

    def get(self, id: str) -> Entry | None:
        """The message of a vendor's id."""
        return self._by_id.get(id)

    def after(self, seq: int) -> Iterator[Entry]:
        """Messages numbered above `seq`, oldest first."""
        first = max(seq + 1, self._last - len(self._ring) + 1)
        return (self._ring[self._place(number)] for number in range(first, self._last + 1))

    def newest(self, recipient: str | None, below: int | None = None) -> Iterator[Entry]:
        """Messages numbered below `below`, newest first; with a recipient only its own, without a scan."""
        oldest = self._last - len(self._ring)
        number = self._last if recipient is None else self._latest.get(recipient, 0)
        if recipient is None and below is not None:
            number = min(number, below - 1)
        while number > oldest:
            entry = self._ring[self._place(number)]
            if below is None or number < below:
                yield entry
            number = number - 1 if recipient is None else entry.before

    def distinct(self) -> int:
        """How many different ids of the client's own are among the messages."""
        return len(self._our_ids)

    def times(self, our_id: str) -> int:
        """How often the client's own id was accepted."""
        return self._our_ids[our_id]

    def __len__(self) -> int:
        return len(self._ring)

    def _place(self, seq: int) -> int:
        return (seq - 1) % self._cap

    def _count(self, entry: Entry) -> None:
        self.accepted[entry.vendor] += 1
        if entry.our_id is not None:
            self._our_ids[entry.our_id] += 1
            if self._our_ids[entry.our_id] > 1:
                self.duplicates.add(entry.our_id)

    def _forget(self, entry: Entry) -> None:
        if self._by_id.get(entry.id) is entry:
            del self._by_id[entry.id]
        if self._latest.get(entry.recipient) == entry.seq:
            del self._latest[entry.recipient]
        if entry.our_id is not None and entry.our_id not in self.duplicates:
            self._our_ids.pop(entry.our_id, None)


def shown(entry: Entry) -> dict[str, Any]:
    """An entry as the control interface shows it."""
    return {
        "seq": entry.seq,
        "vendor": entry.vendor,
        "vendor_id": entry.id,
        "message_id": entry.our_id,
        "from": entry.sender,
        "to": entry.recipient,
        "body": entry.body,
        "body_sha256": entry.digest or _digest(entry.body),
        "accepted_at": entry.accepted_at,
        "answered": entry.answered,
    }


def _digest(body: str) -> str:
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
