"""What the end of an attempt means for its message: a pure rule, every outcome in one place."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from parley.core.outcome import Accepted, Outcome, Rejected, SendFailed, Unknown
from parley.core.retry import exhausted
from parley.core.text import indexable, storable
from parley.delivery.claimed import Claimed, Phase
from parley.delivery.results import Absent, Released, Reported, Result, Undecidable, Unroutable
from parley.delivery.rules import Rules

_LONGEST_CODE, _LONGEST_DETAIL = 100, 500

# What looking for a message again waits at first; then as long as the doubt has lasted.
_LOOK_SECONDS = 1.0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `settle`: what to write into the history, and what happens to message and delivery."""

    account_id: int
    conversation_id: int
    position: int
    message_id: str
    claim: UUID
    n: int
    provider: str
    started_at: datetime
    ended_at: datetime
    outcome: Outcome | None = None
    http_status: int | None = None
    code: str | None = None
    detail: str | None = None
    provider_message_id: str | None = None
    status: str | None = None
    error_code: str | None = None
    error: str | None = None
    dead: bool = False
    done: bool = False
    wait: float = 0.0
    phase: Phase
    attempts: int
    asked: int = 0
    doubt_since: datetime | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that has ended, with everything that the rules ask about it."""

    claimed: Claimed
    began: float
    """Seconds after the claim."""
    ended: float
    can_look_up: bool
    rules: Rules
    dice: float

    @property
    def doubt(self) -> float:
        """How long nobody has known whether the provider has the message, in seconds."""
        since = self.claimed.doubt_since or self.claimed.claimed_at
        return (self.claimed.claimed_at - since).total_seconds()

    def verdict(self, **changes: Any) -> Verdict:
        """A verdict that leaves all as the claim found it, but for the changes."""
        claimed = self.claimed
        values: dict[str, Any] = {
            "account_id": claimed.message.account_id,
            "conversation_id": claimed.conversation_id,
            "position": claimed.position,
            "message_id": claimed.message.id,
            "claim": claimed.claim,
            "n": claimed.attempts,
            "provider": claimed.provider,
            "started_at": claimed.claimed_at + timedelta(seconds=self.began),
            "ended_at": claimed.claimed_at + timedelta(seconds=self.ended),
            "phase": claimed.phase,
            "attempts": claimed.attempts,
            "asked": claimed.asked,
            "doubt_since": claimed.doubt_since,
        }
        return Verdict(**(values | changes))

    def failed(self, history: dict[str, Any], error_code: str | None, *, dead: bool) -> Verdict:
        """The end without success; what the history says of the attempt is the message's error."""
        final = {"status": "failed", "error_code": error_code, "error": history["detail"], "done": True}
        return self.verdict(**(history | final), dead=dead)


def judge(case: Case, result: Result) -> Verdict:
    """Decide what follows from a result."""
    match result:
        case Released():
            spent = 0 if case.claimed.phase == "ask" else 1
            return case.verdict(attempts=case.claimed.attempts - spent)
        case Reported():
            return _accepted(case, Accepted(None), "the provider reported on it")
        case Accepted():
            return _accepted(case, result, "found at the provider" if case.claimed.phase == "ask" else None)
        case Absent():
            return _absent(case)
        case Undecidable():
            return _undecidable(case)
        case SendFailed():
            return _not_found_out(case, result) if case.claimed.phase == "ask" else _failure(case, result)


def _accepted(case: Case, accepted: Accepted, detail: str | None) -> Verdict:
    return case.verdict(
        outcome="accepted",
        http_status=accepted.http_status,
        detail=detail,
        provider_message_id=indexable(accepted.provider_message_id),
        status="sent",
        done=True,
    )


def _failure(case: Case, failure: SendFailed) -> Verdict:
    code = storable(failure.code, _LONGEST_CODE) if failure.code else None
    history = {
        "outcome": failure.outcome,
        "http_status": failure.http_status,
        "code": code,
        "detail": storable(failure.detail, _LONGEST_DETAIL),
    }
    if isinstance(failure, Rejected):
        return case.failed(history, code, dead=isinstance(failure, Unroutable))
    if isinstance(failure, Unknown):
        return _doubt(case, history)
    if exhausted(case.claimed.tries, case.rules.max_retries):
        return case.failed(history, code or failure.outcome, dead=True)
    return case.verdict(
        wait=case.rules.backoff.delay(case.claimed.tries, case.dice, failure.retry_after), **history
    )


def _doubt(case: Case, history: dict[str, Any]) -> Verdict:
    """The provider may have it: the message has left the queue as far as anybody can tell."""
    since = case.claimed.doubt_since or case.claimed.claimed_at + timedelta(seconds=case.began)
    wait = 0.0 if case.can_look_up else case.rules.unknown_wait
    return case.verdict(status="sending", phase="ask", asked=0, wait=wait, doubt_since=since, **history)


def _absent(case: Case) -> Verdict:
    """Not there: once that is proof, it was surely not accepted and may go to any provider."""
    missing = case.rules.timeout + case.rules.grace - case.doubt
    if missing > 0:
        return case.verdict(wait=min(missing, max(_LOOK_SECONDS, case.doubt)))
    detail = "no answer; the provider was asked and does not have it"
    history = {"outcome": "unknown", "code": "absent", "detail": detail}
    if exhausted(case.claimed.tries, case.rules.max_retries):
        return case.failed(history, "absent", dead=True)
    return case.verdict(phase="send", asked=0, doubt_since=None, **history)


def _not_found_out(case: Case, failure: SendFailed) -> Verdict:
    """The look-up failed: look again, but not for ever."""
    if case.doubt > case.rules.asking:
        return _undecidable(case)
    asked = case.claimed.asked + 1
    return case.verdict(asked=asked, wait=case.rules.backoff.delay(asked, case.dice, failure.retry_after))


def _undecidable(case: Case) -> Verdict:
    """Nobody can tell: what happens now is the operator's choice, and the history names it."""
    policy = case.rules.unknown_policy
    if policy == "at-most-once" or exhausted(case.claimed.tries, case.rules.max_retries):
        detail = f"nobody knows whether the provider has it; not sent again ({policy})"
        history = {"outcome": "unknown", "code": "unknown_outcome", "detail": detail}
        return case.failed(history, "unknown_outcome", dead=True)
    detail = f"nobody knows whether the provider has it; sent again ({policy})"
    return case.verdict(
        outcome="unknown", code="sent_again", detail=detail, phase="resend", asked=0, doubt_since=None
    )
