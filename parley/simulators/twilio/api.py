"""Twilio's Message and Media resources."""

from base64 import b64encode
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from uuid_utils import uuid4

from parley.core.segments import measure
from parley.simulators import media
from parley.simulators.ledger import Entry
from parley.simulators.postbox import Parcel
from parley.simulators.twilio import resource
from parley.simulators.twilio.callbacks import StatusCallback
from parley.simulators.twilio.errors import UNAUTHORIZED, Refused, not_found
from parley.simulators.twilio.listing import Filter
from parley.simulators.twilio.resource import Extra, extra
from parley.simulators.twilio.rules import Draft, check
from parley.simulators.wire import Answer, Call, as_json, form, query_value, same
from parley.simulators.world import World


class Twilio:
    """The API of one account."""

    def __init__(self, world: World) -> None:
        self._world = world
        known = world.config.credentials
        self._account = known.twilio_account_sid
        self._keys = [
            _basic(known.twilio_account_sid, known.twilio_auth_token),
            _basic(known.twilio_api_key_sid, known.twilio_api_key_secret),
        ]

    def create(self, call: Call) -> Answer:
        """Take a message."""
        if not self._admits(call):
            return UNAUTHORIZED
        now = self._world.now()
        try:
            fields = form(call.body.decode("utf-8", "replace"))
            draft = check(fields, self._world.config.service_sender, now)
            if self._world.optouts.blocked("twilio", draft.recipient, draft.sender):
                raise Refused(21610, "Attempt to send to unsubscribed recipient")
        except Refused as refused:
            return refused.answer
        entry = _entry(draft, now)
        self._world.ledger.add(entry)
        if draft.callback:
            self._call_back(entry, draft.callback, max(0.0, (draft.send_at or now) - now))
        return as_json(201, self._shown(entry), entry)

    def list(self, call: Call) -> Answer:
        """List messages, newest first."""
        if not self._admits(call):
            return UNAUTHORIZED
        fields = dict(form(call.query))
        try:
            chosen = Filter(fields, self._world.ledger)
        except Refused as refused:
            return refused.answer
        found = list(islice(chosen.matches(self._world.ledger), chosen.size + 1))
        shown, more = found[: chosen.size], len(found) > chosen.size
        uri = f"{resource.API}/{self._account}/Messages.json?"
        rest = {**fields, "PageSize": str(chosen.size), "Page": str(chosen.page + 1)}
        following = uri + urlencode({**rest, "PageToken": f"PA{shown[-1].id}"}) if more else None
        first = uri + urlencode({**rest, "Page": "0"})
        items = [self._shown(entry) for entry in shown]
        return as_json(200, resource.page("messages", items, first, chosen.page, chosen.size, following))

    def fetch(self, call: Call) -> Answer:
        """Show one message."""
        found = self._find(call)
        return found if isinstance(found, Answer) else as_json(200, self._shown(found))

    def update(self, call: Call) -> Answer:
        """Redact a body or cancel a scheduled message."""
        found = self._find(call)
        if isinstance(found, Answer):
            return found
        given = dict(form(call.body.decode("utf-8", "replace")))
        if given.get("Status") == "canceled":
            if resource.status(found, self._world.config, self._world.now()) not in ("scheduled", "canceled"):
                return Refused(30409, "Message can not be canceled, it is already being sent").answer
            found.extra.canceled = True
        elif "Status" in given or given.get("Body"):
            return Refused(20001, "Only an empty Body or Status=canceled is allowed").answer
        if given.get("Body") == "":
            found.body = ""
        return as_json(200, self._shown(found))

    def delete(self, call: Call) -> Answer:
        """Take a message out of the vendor's sight; the ledger keeps it."""
        found = self._find(call)
        if isinstance(found, Answer):
            return found
        if found.extra is None:
            found.extra = Extra()
        found.extra.deleted = True
        return Answer(204)

    def list_media(self, call: Call) -> Answer:
        """List a message's media."""
        found = self._find(call)
        if isinstance(found, Answer):
            return found
        items = [resource.medium(found, index, self._account) for index in range(len(extra(found).media))]
        return as_json(200, resource.page("media_list", items, call.path.removeprefix("/twilio")))

    def fetch_medium(self, call: Call) -> Answer:
        """Describe one medium."""
        found = self._find(call)
        if isinstance(found, Answer):
            return found
        index = _index(found, call.part("medium"))
        if index is None:
            return not_found(call.path)
        return as_json(200, resource.medium(found, index, self._account))

    def redirect_medium(self, call: Call) -> Answer:
        """Send a downloader on to where the content is, as Twilio does; no credentials are asked for by default."""
        entry = self._world.ledger.get(call.part("sid"))
        if entry is None or _index(entry, call.part("medium")) is None:
            return not_found(call.path)
        target = f"/twilio/content/{entry.id}/{call.part('medium')}"
        return Answer(307, headers=((b"location", target.encode()),))

    def content(self, call: Call) -> Answer:
        """The bytes of a medium."""
        entry = self._world.ledger.get(call.part("sid"))
        index = _index(entry, call.part("medium")) if entry else None
        if entry is None or index is None:
            return not_found(call.path)
        url = extra(entry).media[index]
        return Answer(200, media.content(url), content_type=media.content_type(url).encode())

    def _admits(self, call: Call) -> bool:
        given = call.header(b"authorization")
        known = [same(given, key) for key in self._keys]
        return any(known) and call.part("account") == self._account

    def _find(self, call: Call) -> Entry | Answer:
        if not self._admits(call):
            return UNAUTHORIZED
        entry = self._world.ledger.get(call.part("sid"))
        if entry is None or entry.vendor != "twilio" or extra(entry).deleted:
            return not_found(call.path)
        return entry

    def _shown(self, entry: Entry) -> dict[str, Any]:
        return resource.message(entry, self._account, self._world.config, self._world.now())

    def _call_back(self, entry: Entry, url: str, wait: float) -> None:
        config = self._world.config
        sent, end = config.sent_ms / 1000, config.delivered_ms / 1000
        # The status with which a message begins is never called back, only what it changes to.
        steps = [("queued", sent / 2)] if extra(entry).service else []
        final = resource.final_status(entry)
        steps += [("failed", sent)] if final == "failed" else [("sent", sent), (final, end)]
        parcels = [
            Parcel(url, StatusCallback(config.credentials, entry, status), config.callback_attempts)
            for status, _ in steps
        ]
        self._world.call_back("twilio", [wait + moment for _, moment in steps], parcels)


def _entry(draft: Draft, now: float) -> Entry:
    rare = draft.media or draft.service or draft.send_at
    return Entry(
        vendor="twilio",
        id=("MM" if draft.media else "SM") + uuid4().hex,
        our_id=query_value(draft.callback, "message_id") if draft.callback else None,
        sender=draft.sender,
        recipient=draft.recipient,
        body=draft.body,
        accepted_at=now,
        segments=1 if draft.media else measure(draft.body).count,
        failure=draft.failure,
        extra=Extra(draft.media, draft.service, draft.send_at) if rare else None,
    )


def _index(entry: Entry, sid: str) -> int | None:
    sids = (resource.media_sid(entry, index) for index in range(len(extra(entry).media)))
    return next((index for index, known in enumerate(sids) if known == sid), None)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
