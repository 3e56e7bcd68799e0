"""The follower that a worker runs, one batch at a time."""

from parley.conversations import index, state
from parley.db.pool import Database
from parley.feed.follow import Follower
from parley.messages import minutes


def follower(db: Database) -> Follower:
    """With all that is derived from the feed."""
    return Follower(db, "inbox", (index.digest, state.failures, minutes.digest))


async def catch_up(db: Database) -> int:
    """Take everything there is; says how many events that were."""
    total = 0
    while taken := sum(await follower(db).round()):
        total += taken
    return total
