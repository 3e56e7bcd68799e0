"""What the feed's follower would write about loaded messages so that they are found, in a fraction of its time."""

from functools import lru_cache

import asyncpg

from bench.past import NULL, Contact, Message
from parley.conversations import index
from parley.core.words import STEM, vector, words

_GAP = 10


async def shelved(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """How many messages stand on the shelves."""
    shelf = await connection.fetchrow(index._SQL["shelf"], 1)
    return shelf["number"] * index.SHELF + shelf["filled"] if shelf else 0


async def shelve(connection: "asyncpg.Connection[asyncpg.Record]", total: int) -> None:
    """Note how many there are now."""
    await connection.execute(index._SQL["put_shelf"], 1, *divmod(total, index.SHELF))


def of_message(message: Message, n: int) -> str:
    """The row of `message_words` of the nth message on the shelves; PostgreSQL joins words that are double."""
    contact, text = message.contact, message.text
    tokens, at = _shared(message.subject, text.shared)
    if text.own:
        own, at = _cut(text.own, at)
        tokens = f"{tokens} {own}"
    if contact.email:
        name, at = _cut(contact.name, at + _GAP)
        address, _ = _cut(contact.theirs, at + _GAP)
        tokens = f"{tokens} {name} {address}"
    shelf, channel = index.mark_of_shelf(1, n // index.SHELF), index.mark_of_channel(message.channel)
    return f"1\t{contact.number}\t{message.id}\t{tokens} '{shelf}' '{channel}'\n"


def of_contact(contact: Contact) -> str:
    """The row of `conversation_words` of the conversation with somebody."""
    name = contact.name if contact.email else ""
    marks = [index.mark_of_account(1), *index._parts(contact.theirs), *index._own(contact.ours)]
    tokens = vector([words(name), words(contact.theirs)], marks, stems=False)
    return f"1\t{contact.number}\t{name or NULL}\t{tokens}\n"


@lru_cache(maxsize=50_000)
def _shared(subject: str, text: str) -> tuple[str, int]:
    """The words of a subject and of what follows it, of which there are not many."""
    head, at = _cut(subject, 1)
    body, at = _cut(text, at + _GAP)
    return f"{head} {body}", at


def _cut(text: str, at: int) -> tuple[str, int]:
    """A text's words from a place on, and their stems; and the place behind them."""
    found = words(text)
    tokens = [f"'{word}':{place}" for place, word in enumerate(found, at)]
    tokens += {f"'^{word[:STEM]}'" for word in found if len(word) > STEM}
    return " ".join(tokens), at + len(found)
