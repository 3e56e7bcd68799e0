"""Who does not want to hear from whom: carriers' keywords set and lift a block between two numbers."""

from typing import Literal

Keyword = Literal["STOP", "START", "HELP"]

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})


def keyword(text: str) -> Keyword | None:
    """What a message that is nothing but a keyword asks for."""
    word = text.strip().upper()
    if word in STOP_WORDS:
        return "STOP"
    if word in START_WORDS:
        return "START"
    return "HELP" if word in HELP_WORDS else None


class OptOuts:
    """The blocks, per vendor, person and sender."""

    def __init__(self) -> None:
        self._blocked: set[tuple[str, str, str]] = set()

    def hear(self, vendor: str, person: str, sender: str, text: str) -> Keyword | None:
        """Take note of what a person wrote to a sender."""
        heard = keyword(text)
        if heard == "STOP":
            self._blocked.add((vendor, person, sender))
        elif heard == "START":
            self._blocked.discard((vendor, person, sender))
        return heard

    def blocked(self, vendor: str, person: str, sender: str) -> bool:
        """Whether a person asked a sender to stop."""
        return (vendor, person, sender) in self._blocked

    def clear(self) -> None:
        """Forget all blocks."""
        self._blocked.clear()
