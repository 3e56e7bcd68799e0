"""What the address of the inbox asks for: words, a channel, a state, a place in the list."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlencode

import msgspec

from parley.conversations.read import Conversation, Filter
from parley.core.message import CHANNELS
from parley.core.words import Term, parse

State = Literal["open", "unread", "closed", "failed", "all"]
_STATES: tuple[State, ...] = get_args(State)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The inbox's query; what makes no sense in it is as good as absent."""

    q: str = ""
    channel: str = ""
    state: State = "open"
    cursor: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Asked":
        """Read the query of a request."""
        channel, q = query.get("channel", ""), " ".join(query.get("q", "").replace("\0", "").split())[:200]
        return cls(
            q=q,
            channel=channel if channel in CHANNELS else "",
            state=next((state for state in _STATES if state == query.get("state")), _usual(q)),
            cursor=query.get("cursor", "")[:200],
        )

    @property
    def terms(self) -> list[Term]:
        """The words that hits are marked for."""
        return parse(self.q)

    @property
    def narrow(self) -> bool:
        """Whether something is left out."""
        return bool(self.channel) or self.state != "all"

    @property
    def is_usual(self) -> bool:
        """Whether the state goes without saying."""
        return self.state == _usual(self.q)

    @property
    def query(self) -> str:
        """The query as it stands in an address, without a place in the list."""
        given = {"q": self.q, "channel": self.channel, "state": "" if self.is_usual else self.state}
        return urlencode({name: value for name, value in given.items() if value})

    @property
    def filter(self) -> Filter:
        """The same for the database."""
        return Filter(
            None if self.state == "all" else self.state,
            tuple(channel for channel in CHANNELS if channel == self.channel),
        )

    def fits(self, conversation: Conversation) -> bool:
        """Whether a conversation belongs into the list, words aside."""
        states = {
            "open": conversation.state == "open",
            "closed": conversation.state == "closed",
            "unread": conversation.unread_count > 0,
            "failed": conversation.failed and conversation.state == "open",
            "all": True,
        }
        return states[self.state] and (not self.channel or self.channel in conversation.channels)

    def path(self, path: str, **more: str) -> str:
        """Another page with the same query, and more."""
        query = "&".join(
            part for part in (self.query, urlencode({k: v for k, v in more.items() if v})) if part
        )
        return f"{path}?{query}" if query else path

    def changed(self, **changes: str) -> str:
        """The inbox with something else asked."""
        other: Asked = msgspec.structs.replace(self, **({"cursor": ""} | changes))
        cursor = urlencode({"cursor": other.cursor}) if other.cursor else ""
        query = "&".join(part for part in (other.query, cursor) if part)
        return f"/?{query}" if query else "/"


def _usual(q: str) -> State:
    """Who searches looks everywhere; who does not has his work to do."""
    return "all" if q else "open"
