"""How long to wait: full jitter under a doubling ceiling, and what the provider asks for."""

from hypothesis import given
from hypothesis import strategies as st

from parley.core.retry import Backoff, exhausted

BACKOFF = Backoff(0.5, 300.0)
dice = st.floats(0, 1, exclude_max=True)
attempts = st.integers(1, 10_000)


@given(attempts, dice)
def test_the_wait_stays_below_a_doubling_ceiling(attempt: int, throw: float) -> None:
    """Never negative, never above base·2^(n-1), never above the cap, even after thousands of attempts."""
    wait = BACKOFF.delay(attempt, throw)
    assert 0 <= wait <= min(300.0, 0.5 * 2.0 ** min(attempt - 1, 60))


def test_the_dice_spread_it_over_the_whole_range() -> None:
    """Full jitter: from nothing to the ceiling, in proportion."""
    assert [BACKOFF.delay(3, throw) for throw in (0.0, 0.5, 0.75)] == [0.0, 1.0, 1.5]


@given(attempts, dice, st.floats(0, 1e9))
def test_what_a_provider_asks_for_is_honoured(attempt: int, throw: float, asked: float) -> None:
    """At least as long as asked, up to a day, and not for ever."""
    wait = BACKOFF.delay(attempt, throw, asked)
    assert min(asked, 86_400) <= wait <= 86_400 + 300


def test_those_turned_away_together_do_not_come_back_together() -> None:
    """A wait that was asked for is spread as well."""
    assert BACKOFF.delay(5, 0.0, 2.0) < BACKOFF.delay(5, 0.9, 2.0)


def test_the_first_attempt_is_no_retry() -> None:
    """Three retries make four attempts; none makes one."""
    assert [exhausted(attempt, 3) for attempt in (3, 4)] == [False, True]
    assert exhausted(1, 0)
