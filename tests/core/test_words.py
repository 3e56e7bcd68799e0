"""Words are cut the same way from messages and from questions, in whatever script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.words import Fragment, Term, excerpt, highlight, parse, vector, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("don't", ["don", "t"]),
        ("Café ÉCLAIR", ["cafe", "eclair"]),
        ("straße", ["strasse"]),
        ("ann@example.com", ["ann", "example", "com"]),
        ("+1 (804) 555-1234", ["1", "804", "555", "1234"]),
        ("会議は明日", ["会", "議", "は", "明", "日"]),
        ("\N{ARABIC-INDIC DIGIT THREE}\N{ARABIC-INDIC DIGIT FOUR}", ["34"]),
        ("\N{FAMILY}\N{GRINNING FACE} ok", ["ok"]),
        ("a_b", ["a", "b"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_folded_words(text: str, expected: list[str]) -> None:
    """Case, accents and width make no difference; scripts without spaces are cut by character."""
    assert words(text) == expected


def test_a_word_is_never_longer_than_an_index_takes() -> None:
    """A line of a thousand letters is one short token."""
    assert [len(word) for word in words("x" * 1000)] == [64]
    assert [len(word) for word in words("é" * 1000)] == [64]


def test_a_question_has_words_phrases_and_numbers() -> None:
    """The last word may be only begun, unless it is quoted."""
    assert parse('ann "thank you" 555-12') == [
        Term(("ann",)),
        Term(("thank", "you")),
        Term(("555", "12"), begun=True, number="55512"),
    ]
    assert parse('order "4711"') == [Term(("order",)), Term(("4711",))]
    assert parse("order ") == [Term(("order",))]
    assert parse("+1 (804) 555 ann") == [
        Term(("1", "804", "555"), number="1804555"),
        Term(("ann",), begun=True),
    ]
    assert parse("o'brien") == [Term(("o", "brien"), begun=True)]


@given(st.text(max_size=400))
def test_any_text_can_be_asked_for(query: str) -> None:
    """A question is never refused, and has a bound."""
    terms = parse(query)
    assert len(terms) <= 10
    assert all(word.isalnum() for term in terms for word in term.words)


@given(st.text(max_size=200), st.text(max_size=50))
def test_marking_changes_no_text(text: str, query: str) -> None:
    """The fragments of a text put together are the text."""
    assert "".join(fragment.text for fragment in highlight(text, parse(query))) == text


@given(st.text(max_size=300), st.text(max_size=20), st.integers(10, 100))
def test_an_excerpt_is_a_part_of_its_text(text: str, query: str, length: int) -> None:
    """Nothing is made up, and it is not much longer than asked."""
    shown = "".join(fragment.text for fragment in excerpt(text, parse(query), length))
    flat = " ".join(text.split())
    assert shown in flat or shown.strip("…") in flat
    assert len(shown) <= 2 * length + 2


def test_hits_are_marked_where_they_stand() -> None:
    """A phrase is marked as a whole and only as a whole; the word that is only begun is marked to its end."""
    assert highlight("Thank you, Ann; you too", parse('"thank you" an')) == [
        Fragment("Thank you", hit=True),
        Fragment(", "),
        Fragment("Ann", hit=True),
        Fragment("; you too"),
    ]


def test_an_excerpt_shows_the_first_hit() -> None:
    """However far into the text it stands."""
    shown = excerpt("word " * 200 + "the needle is here " + "word " * 200, parse("needle"), 60)
    assert Fragment("needle", hit=True) in shown
    assert shown[0] == shown[-1] == Fragment("…")
    assert len("".join(fragment.text for fragment in shown)) <= 64


def test_a_vector_has_gaps_between_its_parts_and_marks_without_a_place() -> None:
    """A phrase must not run from a subject into a body."""
    assert vector([["a", "b"], ["a"]], ["@sms"], stems=False) == "'a':1,13 'b':2 '@sms'"
    assert vector([["invoice", "inv"]]) == "'invoice':1 'inv':2 '^inv'"
