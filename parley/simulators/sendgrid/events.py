"""SendGrid's event webhook: what happened to each recipient, gathered and posted as one signed array."""

import asyncio
import heapq
import itertools
import time
from base64 import b64encode, urlsafe_b64encode
from typing import Any
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from parley.simulators.credentials import SENDGRID_SIGNING_KEY
from parley.simulators.postbox import Letter, Parcel
from parley.simulators.wire import json_encode
from parley.simulators.world import World

FATES: dict[str, tuple[str, ...]] = {
    "bounce": ("processed", "bounce"),
    "block": ("processed", "blocked"),
    "defer": ("processed", "deferred", "delivered"),
    "drop": ("dropped",),
    "spam": ("processed", "delivered", "spamreport"),
}
"""What becomes of mail to `bounce@…`, `block@…` and so on; all other mail is processed and delivered."""

_DETAILS: dict[str, dict[str, Any]] = {
    "processed": {},
    "delivered": {"response": "250 2.0.0 OK", "tls": 1, "ip": "192.0.2.25"},
    "deferred": {"response": "451 4.7.1 try again later", "attempt": "1"},
    "bounce": {
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "bounce_classification": "Invalid Address",
    },
    "blocked": {
        "type": "blocked",
        "status": "5.7.1",
        "reason": "554 5.7.1 Message blocked",
        "bounce_classification": "Content",
    },
    "dropped": {"status": "5.0.0", "reason": "Bounced Address"},
    "spamreport": {},
}


class Sent(msgspec.Struct, frozen=True):
    """What the events of one mail have in common."""

    message_id: str
    args: dict[str, Any]
    categories: list[str]


class Event(msgspec.Struct, frozen=True):
    """One thing that happened to one recipient."""

    id: str
    name: str
    email: str
    sent: Sent

    def shown(self, now: int) -> dict[str, Any]:
        """The event as SendGrid writes it; the client's own arguments lie flat among SendGrid's."""
        event = {
            **self.sent.args,
            "email": self.email,
            "timestamp": now,
            "smtp-id": f"<{self.sent.message_id}@geopod-ismtpd-1>",
            "event": "bounce" if self.name == "blocked" else self.name,
            "sg_event_id": self.id,
            "sg_message_id": f"{self.sent.message_id}.recvd-5f54b5d587-8pkvq-1-65533D2B-31.0",
            **_DETAILS[self.name],
        }
        if self.sent.categories:
            event["category"] = self.sent.categories
        return event


class Events:
    """Gathers events until they are due; the letter that is written next takes all of them along."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._due: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._next_letter = 0.0
        world.resets.append(self._forget)

    def follow(self, sent: Sent, email: str, wait: float) -> None:
        """Let a mail to one recipient take its course, `wait` seconds from now."""
        config = self._world.config
        names = FATES.get(email.partition("@")[0].lower(), ("processed", "delivered"))
        step = (config.delivered_ms - config.sent_ms) / 1000
        moments = [wait + config.sent_ms / 1000 + step * place for place in range(len(names))]
        plans = self._world.faults.of("sendgrid").schedule(moments)
        for name, times in zip(names, plans, strict=True):
            event = Event(urlsafe_b64encode(uuid4().bytes).decode(), name, email, sent)
            for moment in times:
                self._put(moment, event)

    def take(self) -> list[Event]:
        """Take the events that are due by now, as many as fit into one letter."""
        now = asyncio.get_running_loop().time()
        taken: list[Event] = []
        while self._due and self._due[0][0] <= now and len(taken) < self._world.config.batch_max:
            taken.append(heapq.heappop(self._due)[2])
        if self._due:
            self._announce(max(self._due[0][0], now), now)
        return taken

    def _put(self, moment: float, event: Event) -> None:
        if len(self._due) >= self._world.config.callback_backlog:
            self._world.postbox.counts["dropped"] += 1
            return
        now = asyncio.get_running_loop().time()
        heapq.heappush(self._due, (now + moment, next(self._order), event))
        self._announce(now + moment, now)

    def _announce(self, due: float, now: float) -> None:
        """Have a letter written soon after `due`, unless one is coming before that anyway."""
        due += self._world.config.batch_ms / 1000
        if now < self._next_letter <= due:
            return
        self._next_letter = due
        attempts = self._world.config.callback_attempts
        parcel = Parcel(self._world.config.email_events_url, Batch(self), attempts)
        self._world.postbox.put(due - now, parcel)

    def _forget(self) -> None:
        self._due.clear()
        self._next_letter = 0.0


class Batch:
    """Writes one letter of events, the same one at every attempt."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._letter: Letter | None = None

    def __call__(self, url: str, attempt: int) -> Letter | None:
        if self._letter is None and (taken := self._events.take()):
            self._letter = letter(taken, int(time.time()))
        return self._letter


def letter(events: list[Event], now: int) -> Letter:
    """A signed array of events; the line ends are SendGrid's, and belong to what is signed."""
    body = b"[" + b",\r\n".join(json_encode(event.shown(now)) for event in events) + b"]\r\n"
    timestamp = str(now)
    signature = SENDGRID_SIGNING_KEY.sign(timestamp.encode() + body, ECDSA(SHA256()))
    return Letter(
        body,
        {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "User-Agent": "SendGrid Event API",
        },
    )
