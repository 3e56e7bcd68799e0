"""Stores a set of drafts and does what follows from the commit: others wake up, and it is counted."""

from collections import Counter
from collections.abc import Sequence

from parley import metrics
from parley.core.errors import DatabaseAway
from parley.core.message import Draft, Stored
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.messages.store import Batch, store

_ROW_OVERHEAD = 500


def message_batcher(db: Database, bell: Bell) -> Batcher[Draft, Stored]:
    """The group commit through which every message of this process is stored."""

    async def write(drafts: Sequence[Draft]) -> list[Stored | Exception]:
        try:
            batch = await store(db, drafts)
        except Exception:
            metrics.CONVERSATIONS_FAILED.inc(len(drafts))
            raise
        _tell(drafts, batch, bell)
        return [batch.stored.get(draft.id) or _unsettled() for draft in drafts]

    return Batcher(write, weigh=lambda draft: len(draft.body) + _ROW_OVERHEAD)


def _unsettled() -> Exception:
    return DatabaseAway("the message could not be settled against its repeats in time")


def _tell(drafts: Sequence[Draft], batch: Batch, bell: Bell) -> None:
    fresh = [draft for draft in drafts if draft.id in batch.stored and not batch.stored[draft.id].duplicate]
    if fresh:
        bell.ring("events")
    if any(draft.direction == "outbound" for draft in fresh):
        bell.ring("deliveries")
    metrics.BATCH.observe(len(drafts))
    for (direction, channel), count in Counter((draft.direction, draft.channel) for draft in fresh).items():
        metrics.MESSAGES.labels(direction, channel).inc(count)
    metrics.REPEATS.inc(len(drafts) - len(fresh))
    metrics.CONVERSATIONS_CREATED.inc(batch.opened)
    metrics.CONVERSATIONS_REUSED.inc(len(fresh) - batch.opened)
