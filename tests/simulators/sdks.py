"""The vendors' own SDKs, unchanged, pointed at a simulation by their base address alone."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sendgrid import SendGridAPIClient
from telnyx import DefaultHttpxClient, Telnyx
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from parley.simulators import credentials
from tests.simulators.stage import Stage

T = TypeVar("T")
US, THEM = "+18045551234", "+12016661234"


class _Redirected:
    """Twilio's HTTP client with another base address, which its SDK has no option for."""

    def __init__(self, base: str) -> None:
        self._inner = TwilioHttpClient(timeout=10)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return self._inner.request(method, url.replace("https://api.twilio.com", self._base), *args, **kwargs)

    def close(self) -> None:
        if self._inner.session:
            self._inner.session.close()


@contextmanager
def twilio_client(sim: Stage, token: str = credentials.TWILIO_AUTH_TOKEN) -> Iterator[Client]:
    """Twilio's client."""
    http = _Redirected(f"{sim.url}/twilio")
    try:
        yield Client(credentials.TWILIO_ACCOUNT_SID, token, http_client=http)
    finally:
        http.close()


def sendgrid_client(sim: Stage, key: str = credentials.SENDGRID_API_KEY) -> Any:
    """SendGrid's client."""
    return SendGridAPIClient(key, host=f"{sim.url}/sendgrid")


@contextmanager
def telnyx_client(sim: Stage, key: str = credentials.TELNYX_API_KEY) -> Iterator[Telnyx]:
    """Telnyx's client."""
    with Telnyx(
        api_key=key,
        base_url=f"{sim.url}/telnyx/v2",
        public_key=credentials.TELNYX_PUBLIC_KEY,
        max_retries=0,
        timeout=10,
        # Loading the certificates of the world takes its time, and there is no TLS here.
        http_client=DefaultHttpxClient(verify=False),
    ) as client:
        yield client


async def with_twilio(sim: Stage, use: Callable[[Any], T], **options: str) -> T:
    """Use Twilio's client, which blocks, in a thread."""

    def run() -> T:
        with twilio_client(sim, **options) as client:
            return use(client)

    return await asyncio.to_thread(run)


async def with_telnyx(sim: Stage, use: Callable[[Telnyx], T], **options: str) -> T:
    """Use Telnyx's client, which blocks, in a thread."""

    def run() -> T:
        with telnyx_client(sim, **options) as client:
            return use(client)

    return await asyncio.to_thread(run)
