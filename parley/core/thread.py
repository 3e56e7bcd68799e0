"""Which conversation an address pair belongs to: its key and the UUID that a client can compute by itself."""

from functools import lru_cache
from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec

from parley.core.message import Channel

Grouping = Literal["pair", "channel"]


class Thread(msgspec.Struct, frozen=True):
    """The identity of a conversation, before the database numbers it."""

    key: str
    uuid: str
    channel: Channel
    participants: tuple[str, str]


@lru_cache(maxsize=65_536)
def thread(one: str, other: str, channel: Channel, grouping: Grouping) -> Thread:
    """Group by the unordered pair; SMS and MMS share a thread unless each channel is to have its own."""
    a, b = sorted((one, other))
    family: Channel = "sms" if channel == "mms" and grouping == "pair" else channel
    # A pair has one UUID; a separate MMS thread needs another one, which its channel's name gives it.
    seed = f"mms:{a}{b}" if family == "mms" else a + b
    digest = sha256(seed.encode()).hexdigest()
    return Thread(f"{family}:{a}<->{b}", str(UUID(digest[:32])), family, (a, b))
