"""How long everything takes: the whole run stays under a quarter of an hour, the quick one under two minutes."""

import msgspec

_MESSAGE_BYTES, _LOG_BYTES = 1_400, 6 * 2**30


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a run."""

    quick: bool
    rounds: int
    seconds: int
    """How long one burst of load takes."""
    jobs: int
    """How many messages one round delivers."""
    posts: int
    """How many webhooks are posted to open streams."""
    sizes: tuple[int, ...]
    """How many messages there are to be read from."""
    searched: tuple[int, ...]
    """In which of them words are indexed, which takes longer than all else."""
    pairs: int
    """How many bursts with indexing are measured, each beside one without."""
    readings: int
    """In how many rounds the databases are read; each is short, and one slow moment spoils it."""
    connections: tuple[int, ...] = (1, 16, 64, 128, 256)

    @property
    def disk_bytes(self) -> int:
        """What the databases take at most, with the server's log."""
        return sum(self.sizes) * _MESSAGE_BYTES + _LOG_BYTES


_SIZES = (10_000, 1_000_000, 10_000_000)

FULL = Plan(
    quick=False,
    rounds=3,
    seconds=2,
    jobs=8_000,
    posts=20,
    sizes=_SIZES,
    searched=_SIZES,
    pairs=15,
    readings=4,
)
QUICK = Plan(
    quick=True, rounds=1, seconds=1, jobs=2_000, posts=10, sizes=(10_000, 100_000), searched=(10_000, 100_000),
    pairs=1, readings=1, connections=(1, 16, 256),
)  # fmt: skip
