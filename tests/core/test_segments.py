"""The segment counter agrees with the rule spelled out part by part, and with published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.segments import BASIC, EXTENSION, Encoding, Segments, measure

TEXTS = st.one_of(
    st.text(alphabet=BASIC, max_size=700),
    st.text(alphabet=BASIC[:8] + EXTENSION, max_size=700),
    st.text(alphabet="aé€ê😀\ud83d\t`’", max_size=400),
    st.text(max_size=300),
)


def spelled_out(text: str) -> Segments:
    """The rule in words: put one character after the other into parts, none torn apart."""
    odd = next((char for char in text if char not in BASIC and char not in EXTENSION), None)
    if odd is None:
        costs = [2 if char in EXTENSION else 1 for char in text]
    else:
        costs = [2 if ord(char) > 0xFFFF else 1 for char in text]
    single, part = (160, 153) if odd is None else (70, 67)
    encoding: Encoding = "gsm7" if odd is None else "ucs2"
    if sum(costs) <= single:
        return Segments(encoding, sum(costs), 1, odd)
    parts = [0]
    for cost in costs:
        if parts[-1] + cost > part:
            parts.append(0)
        parts[-1] += cost
    return Segments(encoding, sum(costs), len(parts), odd)


@given(TEXTS)
def test_the_count_equals_filling_parts_one_character_at_a_time(text: str) -> None:
    """No arithmetic shortcut may differ from filling the parts by hand."""
    assert measure(text) == spelled_out(text)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count", "forced_by"),
    [
        ("", "gsm7", 0, 1, None),
        ("a" * 160, "gsm7", 160, 1, None),
        ("a" * 161, "gsm7", 161, 2, None),
        ("a" * 306, "gsm7", 306, 2, None),
        ("a" * 307, "gsm7", 307, 3, None),
        ("€" * 80, "gsm7", 160, 1, None),
        ("€" * 81, "gsm7", 162, 2, None),
        ("a" * 152 + "€" * 77, "gsm7", 306, 3, None),
        ("a" * 70 + "ê", "ucs2", 71, 2, "ê"),
        ("It’s {here}", "ucs2", 11, 1, "’"),
        ("😀" * 35, "ucs2", 70, 1, "😀"),
        ("x" * 66 + "😀" + "x" * 66, "ucs2", 134, 3, "😀"),
        ("tab\there", "ucs2", 8, 1, "\t"),
    ],
)
def test_known_texts_cost_what_carriers_charge(
    text: str, encoding: str, units: int, count: int, forced_by: str | None
) -> None:
    """160/153 septets, 70/67 units, two for the extension table and for surrogate pairs, which stay whole."""
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.count, measured.forced_by) == (
        encoding,
        units,
        count,
        forced_by,
    )
