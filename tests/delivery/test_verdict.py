"""Every end of an attempt and what follows from it, as a table of pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from parley.core.message import Outgoing
from parley.core.outcome import Accepted, Rejected, Throttled, Unavailable, Unknown
from parley.delivery.claimed import Claimed
from parley.delivery.results import Absent, Released, Reported, Result, Undecidable, Unroutable, trips
from parley.delivery.rules import Rules
from parley.delivery.verdict import Case, Verdict, judge
from parley.settings import Settings
from tests.delivery.stage import RULES, ruled

NOON = datetime(2024, 11, 1, 12, tzinfo=UTC)
CLAIMED = Claimed(
    conversation_id=1,
    position=1,
    claim=UUID(int=1),
    claimed_at=NOON,
    taken_at=0.0,
    lease_end=5.0,
    provider="post",
    phase="send",
    attempts=1,
    forgiven=0,
    asked=0,
    doubt_since=None,
    reported=False,
    message=Outgoing(id="m", account_id=1, channel="sms", sender="a", recipient="b", body="c"),
)


def verdict(result: Result, rules: Rules = RULES, can_look_up: bool = True, **claimed: Any) -> Verdict:
    """The verdict on a result, for a delivery with some particulars."""
    delivery = msgspec.structs.replace(CLAIMED, **claimed)
    case = Case(claimed=delivery, began=1.0, ended=3.0, can_look_up=can_look_up, rules=rules, dice=0.5)
    return judge(case, result)


def asking(**claimed: Any) -> dict[str, Any]:
    """A delivery in doubt since ten seconds."""
    return {"phase": "ask", "doubt_since": NOON - timedelta(seconds=10)} | claimed


def test_times_are_counted_on_the_databases_clock() -> None:
    """Workers with wrong clocks write right histories."""
    given = verdict(Accepted("v"))
    assert (given.started_at, given.ended_at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=3))


@pytest.mark.parametrize(
    ("result", "status", "dead"),
    [
        (Accepted("v", 201), "sent", False),
        (Rejected("no", code="21211"), "failed", False),
        (Unroutable("nobody", code="no_provider"), "failed", True),
        (Reported(), "sent", False),
    ],
)
def test_a_clear_end_is_final(result: Result, status: str, dead: bool) -> None:
    """Accepted and refused messages leave the queue at once."""
    given = verdict(result)
    assert (given.done, given.status, given.dead) == (True, status, dead)


@pytest.mark.parametrize("failure", [Throttled("slow"), Unavailable("ill")])
def test_a_sure_failure_is_tried_again_and_then_given_up(failure: Throttled | Unavailable) -> None:
    """Retries are counted; the message stays queued between them, and fails with the last one."""
    for tries in (1, 2, 3):
        given = verdict(failure, attempts=tries)
        assert (given.done, given.status, given.phase) == (False, None, "send")
        assert given.wait > 0
    last = verdict(failure, attempts=4)
    assert (last.done, last.status, last.dead, last.error_code) == (True, "failed", True, failure.outcome)


def test_forgiven_attempts_do_not_count() -> None:
    """After a retry by hand the allowance is full again."""
    assert not verdict(Unavailable("ill"), attempts=5, forgiven=4).done


def test_doubt_is_asked_about_at_once_or_waits_for_a_report() -> None:
    """The history says unknown, the message says sending, and the provider stays the same."""
    asked, waited = verdict(Unknown("silence")), verdict(Unknown("silence"), can_look_up=False)
    for given in (asked, waited):
        assert (given.outcome, given.status, given.phase, given.done) == ("unknown", "sending", "ask", False)
        assert given.doubt_since == NOON + timedelta(seconds=1)
    assert (asked.wait, waited.wait) == (0.0, RULES.unknown_wait)


def test_an_absence_is_proof_only_after_the_grace() -> None:
    """Until then it is looked for again, in growing steps that end with the grace."""
    rules = ruled(timeout=5.0, grace=30.0)
    early = verdict(Absent(), rules, **asking())
    assert (early.phase, early.wait, early.outcome, early.done) == ("ask", 10.0, None, False)
    nearly = verdict(Absent(), rules, **asking(doubt_since=NOON - timedelta(seconds=33)))
    assert nearly.wait == 2.0
    proof = verdict(Absent(), rules, **asking(doubt_since=NOON - timedelta(seconds=35)))
    assert (proof.phase, proof.wait, proof.code, proof.doubt_since) == ("send", 0.0, "absent", None)


def test_an_absence_after_the_last_retry_gives_up() -> None:
    """It was surely not accepted, but the retries are spent."""
    given = verdict(Absent(), **asking(attempts=4))
    assert (given.done, given.dead, given.error_code) == (True, True, "absent")


def test_a_failed_look_up_spends_no_attempt() -> None:
    """It is repeated with backoff, and leaves the history alone."""
    given = verdict(Unknown("down"), **asking())
    assert (given.phase, given.asked, given.attempts, given.outcome, given.done) == ("ask", 1, 1, None, False)
    assert given.wait > 0


@pytest.mark.parametrize("result", [Undecidable(), Unknown("down")])
def test_the_policy_decides_what_nobody_can(result: Result) -> None:
    """At-least-once sends again while retries last, at-most-once never; the history names the decision."""
    particulars = asking(doubt_since=NOON - timedelta(hours=2))
    again = verdict(result, **particulars)
    assert (again.phase, again.code, again.done) == ("resend", "sent_again", False)
    never = verdict(result, ruled(unknown_policy="at-most-once"), **particulars)
    spent = verdict(result, **particulars, attempts=4)
    for given in (never, spent):
        assert (given.done, given.dead, given.error_code) == (True, True, "unknown_outcome")


def test_what_was_given_back_spends_nothing() -> None:
    """A claim that came to nothing takes its attempt back and leaves no trace in the history."""
    given = verdict(Released(), attempts=3)
    assert (given.attempts, given.outcome, given.done) == (2, None, False)
    assert verdict(Released(), **asking(attempts=3)).attempts == 3


def test_odd_words_of_a_provider_can_be_stored() -> None:
    """NUL bytes, half characters and endless texts in an answer do not keep its end from being written."""
    given = verdict(Rejected("a\0b\ud800" + "x" * 9999, code="c\0" * 500))
    assert given.detail is not None
    assert "\0" not in given.detail
    assert len(given.detail) <= 500
    assert len(given.code or "") <= 100
    msgspec.json.encode(given)
    assert len(verdict(Accepted("v" * 5000)).provider_message_id or "") < 100


@pytest.mark.parametrize(
    ("result", "sign"),
    [
        (Accepted("v"), False),
        (Absent(), False),
        (Rejected("no"), False),
        (Throttled("slow"), None),
        (Unavailable("ill"), True),
        (Unknown("silence"), True),
        (Reported(), None),
        (Released(), None),
        (Undecidable(), None),
    ],
)
def test_what_an_end_says_of_the_providers_health(result: Result, sign: bool | None) -> None:
    """Refusals show it alive, throttling says nothing, silence and errors count against it."""
    assert trips(result) is sign


def test_the_lease_outlasts_an_attempt() -> None:
    """However the settings are combined, nobody takes a delivery for lost while its attempt may be under way."""
    rules = Rules.of(Settings(worker_claim_timeout_secs=1, provider_timeout_secs=15.0))
    assert rules.lease >= 2 * rules.timeout
