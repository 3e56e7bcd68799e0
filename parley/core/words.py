"""What words a text has and what a search asks for; the same rule cuts both, so that they meet."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

import msgspec
import regex

STEM = 3
"""How many letters of a longer word are kept as a token of their own, which is how its beginning is found."""

_MOST_WORDS = 4000
_LONGEST_WORD = 64
_LONGEST_QUERY = 200
_MOST_TERMS = 10
_MOST_PLACES = 50
_GAP = 10

_ASCII = re.compile(r"[a-z0-9]+")
# Scripts that set no spaces: each character counts as a word, and a word becomes a phrase of them.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|[\p{L}\p{N}]"
    r"(?:[\p{L}\p{N}\p{M}--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]])*",
    regex.VERSION1,
)
_PHONE = re.compile(r"[0-9+().\-/ ]+")
# Between the parts of a number that begins like one people set spaces; they are still one number.
_TERM = re.compile(r'"([^"]*)"?|((?:\+(?=[0-9])|\()[0-9()+.\-/ ]*[0-9)]|[^\s"]+)')


class Term(msgspec.Struct, frozen=True):
    """One thing that a message must have: words in this order, the last of them perhaps only begun."""

    words: tuple[str, ...]
    begun: bool = False
    number: str | None = None
    """The digits, where the term may be a part of a phone number."""


class Fragment(msgspec.Struct, frozen=True):
    """A piece of plain text; `hit` says that it is what was searched for."""

    text: str
    hit: bool = False


def words(text: str) -> list[str]:
    """Cut a text into folded words."""
    if text.isascii():
        return [word[:_LONGEST_WORD] for word in _ASCII.findall(text.lower())[:_MOST_WORDS]]
    return [word for word, _, _ in _spans(text)]


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    if text.isascii():
        for match in islice(_ASCII.finditer(text.lower()), _MOST_WORDS):
            yield match[0][:_LONGEST_WORD], match.start(), match.end()
        return
    for _, match in zip(range(_MOST_WORDS), _WORD.finditer(text), strict=False):
        if folded := _fold(match[0]):
            yield folded, match.start(), match.end()


@lru_cache(maxsize=16_384)
def _fold(word: str) -> str:
    """Drop case and accents, and whatever else compatibility makes of a character."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    letters = (str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
    return "".join(filter(str.isalnum, letters))[:_LONGEST_WORD]


def parse(query: str) -> list[Term]:
    """Read what somebody typed: words, "phrases", parts of numbers; the last word may be only begun."""
    terms = []
    for match in _TERM.finditer(query[:_LONGEST_QUERY]):
        phrase, plain = match[1], match[2]
        found = tuple(words(plain if phrase is None else phrase))
        if found:
            begun = phrase is None and match.end() == len(query)
            terms.append(Term(found, begun, _number(plain) if phrase is None else None))
    return terms[:_MOST_TERMS]


def _number(text: str) -> str | None:
    digits = re.sub(r"\D", "", text) if _PHONE.fullmatch(text) else ""
    return digits if len(digits) >= STEM else None


def vector(parts: Iterable[Sequence[str]], marks: Iterable[str] = (), *, stems: bool = True) -> str:
    """Write a tsvector: parts of a document with gaps that no phrase spans, and marks that are no words."""
    places: dict[str, list[int]] = {}
    at = 1
    for part in parts:
        for word in part:
            places.setdefault(word, []).append(at)
            at += 1
        at += _GAP
    tokens = [f"'{word}':{','.join(map(str, spots[:_MOST_PLACES]))}" for word, spots in places.items()]
    if stems:
        tokens += {f"'^{word[:STEM]}'" for word in places if len(word) > STEM}
    return " ".join([*tokens, *(f"'{mark}'" for mark in marks)])


def exact(terms: Sequence[Term]) -> str:
    """Write a tsquery that says precisely what is asked."""
    return " & ".join(f"({_exact(term)})" for term in terms)


def _exact(term: Term) -> str:
    if term.number is None or term.words == (term.number,):
        return phrase(term)
    return f"{phrase(term)} | '{term.number}'" + (":*" if term.begun else "")


def phrase(term: Term) -> str:
    """Write a tsquery for the words of a term in their order."""
    return " <-> ".join(f"'{word}'" for word in term.words) + (":*" if term.begun else "")


def rough(terms: Sequence[Term]) -> str:
    """Write a tsquery that an index answers fast: it finds all that `exact` does, and perhaps more.

    A `:*` would gather every word with that beginning from the whole index first; a stem is one token.
    """
    return " & ".join(filter(None, map(_rough, terms)))


def _rough(term: Term) -> str:
    apart = _all_of(term.words, begun=term.begun)
    if term.number is None or term.words == (term.number,):
        return apart
    joined = _all_of((term.number,), begun=term.begun)
    return f"({apart} | {joined})" if apart else ""


def _all_of(asked: Sequence[str], *, begun: bool) -> str:
    last = asked[-1]
    whole = [f"'{word}'" for word in (asked[:-1] if begun else asked)]
    if begun and len(last) == STEM:
        whole.append(f"('{last}' | '^{last}')")
    elif begun and len(last) > STEM:
        whole.append(f"'^{last[:STEM]}'")
    return f"({' & '.join(whole)})" if whole else ""


def excerpt(text: str, terms: Sequence[Term], length: int) -> list[Fragment]:
    """The piece of a text around its first hit, cut where words end, hits apart from the rest."""
    flat = " ".join(text.split())
    hits = list(_hits(flat, terms))
    start, end = _window(flat, hits[0] if hits else (0, 0), length)
    fragments = mark(flat, hits, start, end)
    dots = Fragment("…")
    return [*([dots] if start else []), *fragments, *([dots] if end < len(flat) else [])]


def highlight(text: str, terms: Sequence[Term]) -> list[Fragment]:
    """A whole text, hits apart from the rest."""
    return mark(text, list(_hits(text, terms)), 0, len(text))


def mark(text: str, hits: Sequence[tuple[int, int]], start: int, end: int) -> list[Fragment]:
    """Cut a stretch of a text at its hits."""
    fragments = []
    for first, last in hits:
        if first >= start and last <= end:
            fragments += [Fragment(text[start:first]), Fragment(text[first:last], hit=True)]
            start = last
    return [fragment for fragment in [*fragments, Fragment(text[start:end])] if fragment.text]


def _hits(text: str, terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Where the terms stand, from left to right, without overlaps."""
    spans = list(_spans(text))
    # Few words of a text can be the first of a term; only those are looked at closely.
    heads = {term.words[0] for term in terms}
    begun = tuple(term.words[0] for term in terms if term.begun and len(term.words) == 1)
    end = 0
    for index, (word, first, _) in enumerate(spans):
        if first < end or not (word in heads or word.startswith(begun)):
            continue
        if longest := max(_length(spans, index, term) for term in terms):
            end = spans[index + longest - 1][2]
            yield first, end


def _length(spans: Sequence[tuple[str, int, int]], index: int, term: Term) -> int:
    """How many words from here on are this term; 0 if it is not here."""
    here = [word for word, _, _ in spans[index : index + len(term.words)]]
    *whole, last = term.words
    if len(here) < len(term.words) or here[:-1] != whole:
        return 0
    return len(here) if here[-1] == last or (term.begun and here[-1].startswith(last)) else 0


def _window(text: str, hit: tuple[int, int], length: int) -> tuple[int, int]:
    if len(text) <= length:
        return 0, len(text)
    start = max(0, min(hit[0] - length // 4, len(text) - length))
    end = max(min(len(text), start + length), min(hit[1], start + 2 * length))
    if start:
        start = min(text.find(" ", start) + 1 or start, hit[0])
    if end < len(text):
        end = max(text.rfind(" ", 0, end), hit[1])
    return start, end
