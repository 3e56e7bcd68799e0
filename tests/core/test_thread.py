"""Threads: who talks with whom decides, not who began."""

from hashlib import sha256
from uuid import UUID

from parley.core.thread import thread

A, B = "+12016661234", "+18045551234"


def test_the_uuid_is_the_one_that_a_client_computes() -> None:
    """The published check value holds, and so does the published rule."""
    assert thread(A, B, "sms", "pair").uuid == "a3c3944e-740e-7e7d-74a1-63fc8bd64ff7"
    pair = ["b@example.com", "a@example.com"]
    rule = str(UUID(sha256("".join(sorted(pair)).encode()).hexdigest()[:32]))
    assert thread(*pair, "email", "pair").uuid == rule


def test_the_direction_does_not_matter() -> None:
    """A conversation is an unordered pair."""
    assert thread(A, B, "sms", "pair") == thread(B, A, "sms", "pair")
    assert thread(B, A, "sms", "pair").key == f"sms:{A}<->{B}"


def test_sms_and_mms_share_a_thread_unless_each_channel_has_its_own() -> None:
    """Grouping by channel keeps them apart, with UUIDs of their own."""
    assert thread(A, B, "mms", "pair") == thread(A, B, "sms", "pair")
    apart = thread(A, B, "mms", "channel")
    assert apart.key == f"mms:{A}<->{B}"
    assert apart.uuid != thread(A, B, "sms", "channel").uuid == thread(A, B, "sms", "pair").uuid
