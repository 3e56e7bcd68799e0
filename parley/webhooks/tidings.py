"""The group commit of what vendors tell us: their reports, with the requests that brought them."""

from collections.abc import Sequence

import msgspec

from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.messages.status import Report, apply
from parley.webhooks.raw import RawEvent

# No person waits for the answer to a webhook: a moment for company spares most of the commits.
_GATHER_SECONDS = 0.005


class Tidings(msgspec.Struct, frozen=True):
    """What one webhook tells us of our messages, which may be nothing; and its request, unless that is kept already."""

    request: RawEvent | None
    reports: Sequence[Report] = ()


def tidings_batcher(db: Database, bell: Bell) -> Batcher[Tidings, None]:
    """Keep the requests and merge the reports of many webhooks at once, before any of them is answered."""

    async def write(batch: Sequence[Tidings]) -> list[Exception | None]:
        requests = msgspec.json.encode([tidings.request for tidings in batch if tidings.request]).decode()
        applied = await apply(db, [report for tidings in batch for report in tidings.reports], requests)
        if applied.changed:
            bell.ring("events")
        if applied.settled:
            bell.ring("deliveries")
        return [None] * len(batch)

    return Batcher(write, weigh=_weight, gather_seconds=_GATHER_SECONDS)


def _weight(tidings: Tidings) -> int:
    return 500 * len(tidings.reports) + (len(tidings.request.body) + 500 if tidings.request else 0)
