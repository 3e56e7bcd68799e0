"""SendGrid's Mail Send endpoint, and the public key of its event webhook."""

from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

from parley.simulators.credentials import SENDGRID_PUBLIC_KEY
from parley.simulators.ledger import Entry
from parley.simulators.sendgrid.errors import UNAUTHORIZED, UNSUPPORTED, Refused
from parley.simulators.sendgrid.events import Events, Sent
from parley.simulators.sendgrid.mail import Mail, Personalization
from parley.simulators.sendgrid.rules import check
from parley.simulators.wire import JSON, Answer, Call, as_json, same
from parley.simulators.world import World

OUR_ID = "parley_message_id"


class SendGrid:
    """The API of one account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = f"Bearer {world.config.credentials.sendgrid_api_key}"
        self._events = Events(world)

    def send(self, call: Call) -> Answer:
        """Take a mail."""
        if not same(call.header(b"authorization"), self._key):
            return UNAUTHORIZED
        if not call.header(b"content-type").startswith(JSON):
            return UNSUPPORTED
        now = self._world.now()
        try:
            mail = check(call.body, now)
        except Refused as refused:
            return refused.answer
        if mail.sandboxed():
            return Answer(200)
        entry = _entry(mail, now)
        self._world.ledger.add(entry)
        if self._world.config.email_events_url:
            for block in mail.personalizations:
                self._follow(mail, block, entry.id, now)
        return Answer(202, headers=((b"x-message-id", entry.id.encode()),), entry=entry)

    def public_key(self, call: Call) -> Answer:
        """The key with which events are verified."""
        if not same(call.header(b"authorization"), self._key):
            return UNAUTHORIZED
        return as_json(200, {"public_key": SENDGRID_PUBLIC_KEY})

    def _follow(self, mail: Mail, block: Personalization, id: str, now: float) -> None:
        sent = Sent(id, {**mail.custom_args, **block.custom_args}, mail.categories)
        wait = max(0.0, (block.send_at or mail.send_at or now) - now)
        for address in (*block.to, *block.cc, *block.bcc):
            self._events.follow(sent, address.email, wait)


def _entry(mail: Mail, now: float) -> Entry:
    first = mail.personalizations[0]
    return Entry(
        vendor="sendgrid",
        id=urlsafe_b64encode(uuid4().bytes).decode().rstrip("="),
        our_id=_our_id({**mail.custom_args, **first.custom_args}),
        sender=mail.sender.email if mail.sender else "",
        recipient=", ".join(to.email for block in mail.personalizations for to in block.to),
        body=mail.body(),
        accepted_at=now,
    )


def _our_id(args: dict[str, Any]) -> str | None:
    given = args.get(OUR_ID)
    return None if given is None else str(given)
