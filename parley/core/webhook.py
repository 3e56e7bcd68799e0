"""A webhook request as it came, before anybody believed it."""

from collections.abc import Mapping

import msgspec


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """The raw request: `url` is the address as the vendor called it, header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
