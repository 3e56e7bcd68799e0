"""Texts to fill a database with: a few words that everybody uses, many that hardly anybody does."""

import random
from typing import NamedTuple

_COMMON = [
    "the",
    "you",
    "to",
    "and",
    "a",
    "is",
    "for",
    "it",
    "of",
    "in",
    "on",
    "we",
    "that",
    "can",
    "your",
    "are",
    "be",
    "have",
    "this",
    "with",
    "please",
    "thanks",
    "at",
    "will",
    "not",
    "my",
    "if",
    "me",
    "so",
    "just",
    "but",
    "what",
    "when",
    "do",
    "from",
    "order",
    "time",
    "today",
    "tomorrow",
    "there",
    "good",
    "get",
    "know",
    "all",
    "see",
    "call",
    "was",
    "how",
    "need",
    "our",
    "out",
    "up",
    "great",
    "here",
    "back",
    "send",
    "let",
    "about",
    "no",
    "one",
    "ok",
    "sure",
    "money",
    "house",
    "car",
    "school",
    "week",
    "day",
]
_SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "da",
    "de",
    "di",
    "do",
    "fa",
    "fe",
    "ka",
    "ke",
    "ki",
    "ko",
    "la",
    "le",
    "li",
    "lo",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "no",
    "pa",
    "pe",
    "ra",
    "re",
    "ri",
    "sa",
    "se",
    "ta",
    "te",
    "ti",
    "to",
    "va",
    "ve",
    "vi",
    "zu",
]
_SMS_POOL, _MAIL_POOL, _RARE = 20_000, 2_000, 30_000


class Text(NamedTuple):
    """A body, and what is in it: words that others have as well, and words of its own."""

    body: str
    shared: str
    own: str = ""


class Texts:
    """Bodies from pools, so that making one costs nothing beside storing it."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._rare = [
            "".join(self._dice.choices(_SYLLABLES, k=self._dice.randint(2, 5))) for _ in range(_RARE)
        ]
        self._weights = [1 / (n + 2) for n in range(len(_COMMON))]
        self._short = [self._sentence(self._dice.randint(4, 22)) for _ in range(_SMS_POOL)]
        self._mails = [self._letter() for _ in range(_MAIL_POOL)]

    def short(self, n: int) -> Text:
        """The body of the nth message; every tenth has a number of its own, as orders and codes do."""
        text = self._short[n * 7919 % _SMS_POOL]
        return Text(text, text) if n % 10 else Text(f"{text} order {n}", text, f"order {n}")

    def mail(self, n: int) -> Text:
        """The body of the nth message, as an email; every other one is HTML."""
        text, own = self._mails[n * 7919 % _MAIL_POOL], f"Ref {n}"
        body = f"<div><p>{text}</p><p>{own}</p></div>" if n % 4 < 2 else f"{text} {own}"
        return Text(body, text, own)

    def subject(self, n: int) -> str:
        """The subject of the nth message."""
        return self._short[n * 104_729 % _SMS_POOL][:60].strip()

    def _sentence(self, length: int) -> str:
        rare = max(1, length // 4)
        words = self._dice.choices(_COMMON, self._weights, k=length - rare) + self._dice.choices(
            self._rare, k=rare
        )
        self._dice.shuffle(words)
        return ("Hello, " if self._dice.random() < 0.5 else "") + " ".join(words)

    def _letter(self) -> str:
        return " ".join(f"{self._sentence(self._dice.randint(8, 16)).capitalize()}." for _ in range(6))
