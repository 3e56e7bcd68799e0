"""The breaker as a pure rule."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from parley.core.breaker import Breaker, Limits

NOON = datetime(2024, 11, 1, 12, tzinfo=UTC)
LIMITS = Limits(threshold=3, open_for=timedelta(seconds=30), patience=timedelta(seconds=10))
SECOND = timedelta(seconds=1)
OPEN = Breaker("open", 3, NOON + LIMITS.open_for)


def test_so_many_failures_in_a_row_open_it() -> None:
    """The threshold counts failures without a success between them."""
    assert Breaker().after([True, True], NOON, LIMITS) == Breaker("closed", 2)
    assert Breaker().after([True, True, True], NOON, LIMITS) == OPEN
    assert Breaker().after([True, True, False, True, True], NOON, LIMITS) == Breaker("closed", 2)


def test_open_it_blocks_until_its_time_is_over() -> None:
    """Then it does not close by itself: probes decide."""
    assert OPEN.blocks(NOON)
    assert not OPEN.blocks(NOON + LIMITS.open_for)
    assert OPEN.state == "open"


def test_while_open_nothing_that_ends_changes_it() -> None:
    """What ends now began before: neither a late success nor a late failure says anything new."""
    assert OPEN.after([True, False, True], NOON + SECOND, LIMITS) == OPEN


def test_a_probe_decides() -> None:
    """A success closes and forgets, a failure opens it anew for the whole time."""
    probing = OPEN.probing(NOON + LIMITS.open_for, LIMITS)
    assert probing.state == "half_open"
    assert probing.after([False], NOON, LIMITS) == Breaker()
    again = probing.after([True], NOON + SECOND, LIMITS)
    assert (again.state, again.until) == ("open", NOON + SECOND + LIMITS.open_for)


def test_probes_that_never_answer_are_followed_by_others() -> None:
    """A worker that dies with the probes in its hands does not block the provider for ever."""
    probing = OPEN.probing(NOON, LIMITS)
    assert probing.blocks(NOON + SECOND)
    assert not probing.blocks(NOON + LIMITS.patience)


@given(st.lists(st.booleans(), max_size=30))
def test_it_is_clean_only_without_a_failure_to_forget(trips: list[bool]) -> None:
    """A success changes a breaker exactly when it is not clean: that is what makes recording free."""
    breaker = Breaker().after(trips, NOON, LIMITS)
    assert breaker.clean == (breaker.after([False], NOON, LIMITS) == breaker and breaker.state == "closed")


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 30))
def test_batches_add_up(trips: list[bool], cut: int) -> None:
    """Recording in two sets is the same as recording in one."""
    whole = Breaker().after(trips, NOON, LIMITS)
    assert Breaker().after(trips[:cut], NOON, LIMITS).after(trips[cut:], NOON, LIMITS) == whole
