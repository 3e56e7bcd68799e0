"""Messages as bubbles."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from parley.messages.read import Message
from parley.web.thread import bubbles, sort_key

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def said(minutes: float, direction: str = "inbound", channel: str = "sms", n: int = 0) -> Message:
    sides = ("+1", "+2") if direction == "inbound" else ("+2", "+1")
    return Message(
        id=UUID(int=n or abs(int(minutes * 100)) + 10), conversation_id="1", direction=direction, channel=channel,
        type=channel, sender=sides[0], recipient=sides[1], body="x", subject=None, snippet="x", cc=[], bcc=[],
        reply_to=None, attachments=[], status="received", provider=None, provider_message_id=None,
        timestamp=NOON + timedelta(minutes=minutes), created_at=NOON, error=None,
    )  # fmt: skip


def test_a_minute_of_one_side_belongs_together() -> None:
    """Another side, another minute, another day and a mail begin anew."""
    thread = [
        said(0), said(0.5), said(0.6, "outbound"), said(1), said(1.5), said(1.6, channel="email"),
        said(1.7), said(60 * 24), said(60 * 24 + 0.1),
    ]  # fmt: skip
    shown = list(bubbles(thread, NOON, UTC))
    assert [one.continues for one in shown] == [False, True, False, False, True, False, False, False, True]
    assert [one.day is not None for one in shown] == [True, *[False] * 6, True, False]


def test_only_the_changed_and_those_behind_them_are_made_anew() -> None:
    """A message decides how the next one looks, and the one before it decides how it looks itself."""
    thread = [said(0), said(0.5), said(0.7), said(5)]
    only = list(bubbles(thread, NOON, UTC, {str(thread[1].id)}))
    assert [one.message.id for one in only] == [thread[1].id, thread[2].id]
    assert [one.continues for one in only] == [True, True]


def test_keys_sort_as_messages_do() -> None:
    """By time, then by id; a day's key stands before all messages of that day."""
    thread = [said(-5_000_000), said(0, n=1), said(0, n=2), said(1)]
    keys = [sort_key(message) for message in thread]
    assert keys == sorted(keys)
    first = next(bubbles(thread[1:], NOON, UTC))
    assert keys[0] < first.day_key < keys[1]
