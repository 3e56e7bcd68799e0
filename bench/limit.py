"""The HTTP limit: a web process that does everything but store. `python -m bench.limit --fd 7`."""

import argparse
import socket
from collections.abc import Sequence

from parley import runtime
from parley.core.message import Draft, Stored
from parley.db.batcher import Batcher
from parley.db.bell import Bell
from parley.db.pool import Database
from parley.settings import load


def forgetful_batcher(db: Database, bell: Bell) -> Batcher[Draft, Stored]:
    """A group commit that forgets what it is given."""

    async def write(drafts: Sequence[Draft]) -> list[Stored | Exception]:
        return [Stored(draft.id, 1, None, False, draft.request_hash) for draft in drafts]

    return Batcher(write)


def main() -> None:
    """Serve as `parley serve` does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="an inherited listening socket")
    given = parser.parse_args()
    # The one thing that differs: all else is what the service itself puts together.
    setattr(runtime, "message_batcher", forgetful_batcher)  # noqa: B010 - a name that it imports, not its own
    runtime.serve(load(), socket.socket(fileno=given.fd))


if __name__ == "__main__":
    main()
