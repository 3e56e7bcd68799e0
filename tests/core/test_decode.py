"""Decoding: every wrong field is named, whatever else is wrong with the document, and nothing crashes."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.decode import decode, mended
from parley.core.errors import Invalid


class Order(msgspec.Struct, rename={"sender": "from"}):
    """Something to decode."""

    sender: str
    count: int
    more: list[str] | None = None


DECODER = msgspec.json.Decoder(Order)


def fields(raw: bytes) -> list[str]:
    """The fields that a refusal names."""
    with pytest.raises(Invalid) as caught:
        decode(DECODER, raw)
    assert all(detail.message for detail in caught.value.details)
    return [detail.field for detail in caught.value.details]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"{}", ["from", "count"]),
        (b'{"from": 1, "count": "2", "more": 3}', ["from", "count", "more"]),
        (b'{"from": "a", "count": 1, "more": [1]}', ["more"]),
        (b'{"from": "a", "count": 99999999999999999999999999999999999999999.5}', ["count"]),
        (b'{"from": 1, oops', ["from"]),
        (b'{"from": 1, "x": "\xff"}', ["from"]),
        (b'{"from": 1, "x": ' + b"[" * 9999, ["from"]),
        (b'{"from": "a"', ["body"]),
        (b"[]", ["body"]),
        (b"[" * 9999, ["body"]),
        (b"", ["body"]),
        (b"\xff", ["body"]),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, named: list[str]) -> None:
    """All fields at once; where the rest cannot be read, the one that was met first."""
    assert fields(raw) == named


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    """Nothing but `Invalid` comes out."""
    for document in (raw, b'{"from": "a", "count": 1, "x": ' + raw, b'{"from": ' + raw + b"}"):
        try:
            decode(DECODER, document)
        except Invalid as error:
            assert error.details  # noqa: PT017 - most bytes are refused, a few are a document


@given(st.text(alphabet=st.characters() | st.sampled_from("\\u\ud83d\ude00\ud800\udfff")))
def test_only_halves_of_surrogate_pairs_are_mended(text: str) -> None:
    """As many JSON writers escape them; whole pairs and escaped backslashes stay as they are."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert len(msgspec.json.decode(mended(json.dumps(text).encode()))) == len(json.loads(json.dumps(text)))
    if "\ufffd" not in whole:
        assert msgspec.json.decode(mended(json.dumps(text).encode())) == whole
