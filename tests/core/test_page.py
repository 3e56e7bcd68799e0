"""Cursors: opaque to clients, exact to us."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.errors import Invalid
from parley.core.page import decode_cursor, encode_cursor


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**63 - 1))
def test_a_position_survives_its_journey(at: datetime, number: int) -> None:
    """Time and tie-breaker come back to the microsecond."""
    after, tie = decode_cursor(encode_cursor(at, number))
    assert (after, int.from_bytes(tie, "big")) == (at, number)


def test_a_message_position_holds_its_uuid() -> None:
    """Messages of equal time are told apart by their id."""
    id = UUID("01a1f70d-5479-73f0-8b6a-9c5316e98b1e")
    at = datetime(2024, 11, 1, tzinfo=UTC)
    assert decode_cursor(encode_cursor(at, id.bytes)) == (at, id.bytes)


@given(st.text(max_size=60))
def test_a_foreign_cursor_is_the_callers_error(cursor: str) -> None:
    """Whatever the text: a position or `Invalid`, never a crash."""
    try:
        decode_cursor(cursor)
    except Invalid as error:
        assert error.details[0].field == "cursor"  # noqa: PT017 - most texts are refused, a few are cursors


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é" * 20, "A" * 1000])
def test_garbage_is_refused(cursor: str) -> None:
    """These were never given out."""
    with pytest.raises(Invalid):
        decode_cursor(cursor)
