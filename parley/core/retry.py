"""How long to wait before the next try: exponential with full jitter, and never shorter than asked."""

import msgspec

_LONGEST_ASKED = 86_400.0
_LONGEST_EXPONENT = 32  # beyond it every cap is long reached, and the power would only grow


class Backoff(msgspec.Struct, frozen=True):
    """A base that doubles with each attempt up to a cap, in seconds."""

    base: float
    cap: float

    def delay(self, attempt: int, dice: float, asked: float | None = None) -> float:
        """The wait after the n-th attempt, for dice in [0, 1); `asked` is what the provider wants at least."""
        ceiling = min(self.cap, self.base * 2.0 ** min(attempt - 1, _LONGEST_EXPONENT))
        if asked is None:
            return dice * ceiling
        # What was turned away together must not come back together.
        return min(asked, _LONGEST_ASKED) + dice * min(ceiling, max(asked, self.base))


def exhausted(attempts: int, max_retries: int) -> bool:
    """Whether the first attempt and all its retries are spent."""
    return attempts > max_retries
