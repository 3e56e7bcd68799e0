"""Which messages a list request asks for, and from where it goes on."""

from collections.abc import Iterator

from parley.simulators.ledger import Entry, Ledger
from parley.simulators.twilio.errors import Refused
from parley.simulators.twilio.resource import extra
from parley.simulators.twilio.rules import phone, when

_DAY = 86_400


class Filter:
    """The filters and the place of one page."""

    def __init__(self, fields: dict[str, str], ledger: Ledger) -> None:
        self.size = _number(fields, "PageSize", 50, 1, 1000)
        self.page = _number(fields, "Page", 0, 0, 10**9)
        self._recipient = phone(fields["To"]) if fields.get("To") else None
        self._sender = phone(fields["From"]) if fields.get("From") else None
        self._from = self._until = None
        if fields.get("DateSent"):
            self._from, self._until = _day(fields["DateSent"])
        if fields.get("DateSent>"):
            self._from = _day(fields["DateSent>"])[0]
        if fields.get("DateSent<"):
            self._until = _day(fields["DateSent<"])[1]
        self._below = _place(fields.get("PageToken"), ledger)

    def matches(self, ledger: Ledger) -> Iterator[Entry]:
        """The messages asked for, newest first."""
        for entry in ledger.newest(self._recipient, self._below):
            if self._from is not None and entry.accepted_at < self._from:
                return
            if self._fits(entry):
                yield entry

    def _fits(self, entry: Entry) -> bool:
        return (
            entry.vendor == "twilio"
            and (self._sender is None or entry.sender == self._sender)
            and (self._until is None or entry.accepted_at < self._until)
            and not extra(entry).deleted
        )


def _number(fields: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = fields.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise Refused(20001, f"{name} is not a number")
    return max(low, min(int(text), high))


def _day(text: str) -> tuple[float, float]:
    """The span that a date or a time to the second names."""
    moment = when(text)
    if moment is None:
        raise Refused(20001, f"Invalid date: {text[:50]}")
    return moment, moment + (_DAY if len(text) <= 10 else 1)


def _place(token: str | None, ledger: Ledger) -> int | None:
    if not token:
        return None
    last = ledger.get(token.removeprefix("PA"))
    if last is None:
        raise Refused(20001, "The page token is not valid")
    return last.seq
