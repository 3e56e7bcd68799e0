"""A webhook's request for the record, as it came."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from parley.core.account import DEFAULT_ACCOUNT
from parley.core.ids import new_id
from parley.core.text import storable
from parley.core.webhook import Webhook

# Credentials in a stored header would outlive their rotation.
_NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook request for the record; the field names are those that `statuses.sql merge` reads."""

    account_id: int
    id: str
    source: str
    url: str
    headers: dict[str, str]
    body: bytes
    state: Literal["parsed", "unparsed"]
    error: str | None


def raw_event(source: str, webhook: Webhook, error: str | None = None) -> RawEvent:
    """Make a webhook a record; with an error it is one that was not understood."""
    return RawEvent(
        account_id=DEFAULT_ACCOUNT,
        id=new_id(),
        source=source,
        url=_without_query(webhook.url),
        headers=_keepable(webhook.headers),
        body=webhook.body,
        state="parsed" if error is None else "unparsed",
        error=storable(error, 1000) if error is not None else None,
    )


def _keepable(headers: Mapping[str, str]) -> dict[str, str]:
    return {storable(name): storable(value) for name, value in headers.items() if name not in _NEVER_KEPT}


def _without_query(url: str) -> str:
    """A vendor's address may carry a token of ours; the route is enough to replay."""
    return storable(url.partition("?")[0])
