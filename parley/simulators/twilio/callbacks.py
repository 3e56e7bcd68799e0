"""What Twilio posts: status callbacks and inbound messages, signed with the account's token."""

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from urllib.parse import urlencode

from uuid_utils import uuid4

from parley.simulators.config import Credentials
from parley.simulators.ledger import Entry
from parley.simulators.media import content_type
from parley.simulators.optout import Keyword
from parley.simulators.postbox import Letter
from parley.simulators.twilio.resource import extra, media_sid
from parley.simulators.twilio.rules import DELIVERY_FAILURES


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form posted to a URL."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()


def letter(credentials: Credentials, url: str, fields: Mapping[str, str], event_id: str) -> Letter:
    """A form, signed for the address to which it goes."""
    target = url.partition("#")[0]
    return Letter(
        urlencode(fields).encode(),
        {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature(credentials.twilio_auth_token, target, fields),
            "I-Twilio-Idempotency-Token": event_id,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        },
    )


class StatusCallback:
    """Writes one status callback, the same one at every attempt."""

    __slots__ = ("_credentials", "_entry", "_event_id", "_status")

    def __init__(self, credentials: Credentials, entry: Entry, status: str) -> None:
        self._credentials = credentials
        self._entry = entry
        self._status = status
        self._event_id = str(uuid4())

    def __call__(self, url: str, attempt: int) -> Letter | None:
        if extra(self._entry).canceled:
            return None
        fields = status_fields(self._entry, self._status, self._credentials.twilio_account_sid)
        return letter(self._credentials, url, fields, self._event_id)


def status_fields(entry: Entry, status: str, account: str) -> dict[str, str]:
    """The form of a status callback."""
    fields = {
        "ApiVersion": "2010-04-01",
        "MessageSid": entry.id,
        "MessageStatus": status,
        "SmsSid": entry.id,
        "SmsStatus": status,
        "AccountSid": account,
        "From": entry.sender,
        "To": entry.recipient,
    }
    if service := extra(entry).service:
        fields["MessagingServiceSid"] = service
    if status in ("delivered", "undelivered"):
        fields["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime())
    if status in ("failed", "undelivered"):
        fields["ErrorCode"] = str(entry.failure)
        fields["ErrorMessage"] = DELIVERY_FAILURES.get(entry.failure or 0, "")
    return fields


def inbound_fields(entry: Entry, account: str, base: str, opt_out: Keyword | None) -> dict[str, str]:
    """The form of an inbound message; `base` is where its media are found."""
    fields = {
        "ToCountry": "US",
        "ToState": "",
        "ToCity": "",
        "ToZip": "",
        "FromCountry": "US",
        "FromState": "",
        "FromCity": "",
        "FromZip": "",
        "SmsMessageSid": entry.id,
        "MessageSid": entry.id,
        "SmsSid": entry.id,
        "AccountSid": account,
        "SmsStatus": "received",
        "From": entry.sender,
        "To": entry.recipient,
        "Body": entry.body,
        "NumSegments": str(entry.segments),
        "NumMedia": str(len(extra(entry).media)),
        "ApiVersion": "2010-04-01",
    }
    for index, url in enumerate(extra(entry).media):
        fields[f"MediaUrl{index}"] = f"{base}/{account}/Messages/{entry.id}/Media/{media_sid(entry, index)}"
        fields[f"MediaContentType{index}"] = content_type(url)
    if opt_out:
        fields["OptOutType"] = opt_out
    return fields
