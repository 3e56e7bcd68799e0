"""What vendors with an HTTP API share: a request with its outcome, and the callback that brings our id back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from math import isfinite
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
)
from yarl import URL, Query

from parley.core.errors import Forged
from parley.core.ids import is_uuid
from parley.core.outcome import Rejected, SendFailed, Throttled, Unavailable, Unknown
from parley.core.webhook import Webhook
from parley.settings import Settings

_Shape = TypeVar("_Shape")

_NOTHING_SENT = (ClientConnectorError, ConnectionTimeoutError, InvalidURL, NonHttpUrlClientError)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Our credentials or the address of the API are wrong: that befalls every message and is the fault of none.
_NOT_THE_MESSAGE = (401, 404, 405, 407, 408)
_LONGEST_WAIT = 86_400.0
_LONGEST_TEXT = 500


class Answer(msgspec.Struct, frozen=True):
    """A vendor's whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, repr=False)
class Client:
    """Makes requests, each within a bounded time."""

    session: ClientSession
    seconds: float

    @cached_property
    def _limits(self) -> ClientTimeout:
        # Waiting for a connection ends first, so that the total only runs out once the request is under way.
        return ClientTimeout(total=self.seconds, connect=self.seconds / 2)

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> Answer:
        """Make one request; silence is `Unavailable` or `Unknown` by whether anything may have left."""
        target = URL(url, encoded=True)
        try:
            # A redirect is never followed: it would carry the credentials to wherever it points.
            async with self.session.request(
                method, target, data=data, headers=headers, timeout=self._limits, allow_redirects=False
            ) as answer:
                return Answer(answer.status, answer.headers, await answer.read())
        except _NOTHING_SENT as error:
            raise Unavailable(f"no connection ({type(error).__name__})") from None
        except (ClientError, TimeoutError, OSError) as error:
            raise Unknown(f"no answer ({type(error).__name__})") from None


def decode(body: bytes, shape: type[_Shape]) -> _Shape | None:
    """Read JSON of a given shape; None where it is anything else."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def refusal(
    answer: Answer,
    text: str | None,
    *,
    code: str | None = None,
    kind: type[SendFailed] | None = None,
    wait: float | None = None,
) -> SendFailed:
    """Build the failure that an answer means; `text` is None where no words of the vendor could be read."""
    kind = kind or _by_status(answer.status, readable=text is not None)
    asked = _asked(answer, datetime.now(UTC))
    return kind(
        (text or f"unreadable answer with status {answer.status}")[:_LONGEST_TEXT],
        code=code,
        http_status=answer.status,
        retry_after=wait if asked is None else asked,
    )


def _by_status(status: int, readable: bool) -> type[SendFailed]:
    if status == 429:
        return Throttled
    if 400 <= status < 500:
        # A 4xx without the vendor's words comes from something between us, and says nothing of the message.
        return Rejected if readable and status not in _NOT_THE_MESSAGE else Unavailable
    # The vendor's own words on a 500 or 503 mean that its API gave up before it took the message. A 502 or 504
    # is what a gateway says of something behind it, which may have taken the message and answered too late.
    return Unavailable if readable and status in (500, 503) else Unknown


def _asked(answer: Answer, now: datetime) -> float | None:
    """The wait that an answer asks for, in seconds: Retry-After, a number or a date, or X-RateLimit-Reset."""
    if (text := answer.headers.get("Retry-After")) is not None:
        return _bounded(text) if text.strip()[:1].isdigit() else _until(text, now)
    # SendGrid sends the reset time with every answer, so that it means a wait only on a 429.
    reset = answer.headers.get("X-RateLimit-Reset") if answer.status == 429 else None
    return None if reset is None else _bounded(reset, now.timestamp())


def _until(text: str, now: datetime) -> float | None:
    end = written(text)
    return None if end is None else _bounded(end.timestamp(), now.timestamp())


def _bounded(value: str | float, start: float = 0.0) -> float | None:
    try:
        seconds = float(value) - start
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if isfinite(seconds) else None


def callback(settings: Settings, vendor: str, base_url: str, message_id: str) -> str | None:
    """The address under which a vendor reports on one message; None where it could not reach it anyway."""
    url = settings.url
    return f"{url}/api/webhooks/{vendor}?message_id={message_id}" if _reaches(base_url, url) else None


@lru_cache
def _reaches(base_url: str, url: str) -> bool:
    """The real vendors refuse a message whose callback is on localhost; a simulator next to us can reach it."""
    return urlsplit(url).hostname not in _LOOPBACK or urlsplit(base_url).hostname in _LOOPBACK


def query(webhook: Webhook, name: str) -> str:
    """One parameter of the address that the vendor called."""
    return dict(reversed(pairs(webhook.url.partition("?")[2]))).get(name, "")


def form(fields: Query) -> str:
    """Write fields as a form or a query, as `urlencode` would in four times the time."""
    return URL.build(query=fields).raw_query_string


def pairs(form: str) -> list[tuple[str, str]]:
    """Read what a form or a query holds, as `parse_qsl` would in twice the time."""
    return list(URL.build(query_string=form, encoded=True).query.items())


def our_id(text: object) -> str | None:
    """Take an id that came back from a vendor for ours, if it looks like one."""
    return text.lower() if isinstance(text, str) and is_uuid(text) else None


def moment(seconds: object) -> datetime | None:
    """Read a Unix time that a vendor wrote; None where it is not one."""
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def written(text: str) -> datetime | None:
    """Read a date as mail and HTTP write it; None where it is not one."""
    try:
        return aware(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None


def aware(time: datetime | None) -> datetime | None:
    """A time that says no offset is taken for UTC; one that UTC cannot hold is none."""
    try:
        return None if time is None else time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None


def check_time(stamp: str, now: datetime, tolerance: int) -> None:
    """Refuse a signed Unix time that is not now, so that nobody can play an old webhook again."""
    if not (stamp.isascii() and stamp.isdecimal()) or abs(now.timestamp() - int(stamp[:20])) > tolerance:
        raise Forged("the time of the signature is not now")
