"""The request that delivers a message, as the service's own provider makes it."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
import msgspec

from bench import traffic
from parley.settings import Settings
from parley.simulators.credentials import TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN

CONCURRENCY = Settings().worker_concurrency
_CALLBACK = "http://127.0.0.1:{port}/api/webhooks/twilio?message_id=0199a3c0-0000-7000-8000-000000000000"
_PATH = f"/twilio/2010-04-01/Accounts/{TWILIO_ACCOUNT_SID}/Messages.json"


class Jobs(msgspec.Struct, frozen=True):
    """What a rival came to: from the start of the first job until the last was settled."""

    jobs: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.jobs / self.seconds


class Call:
    """One session to one simulator."""

    def __init__(self, session: aiohttp.ClientSession, simulator: str, report_to: int) -> None:
        self._session = session
        self._url = simulator + _PATH
        self._callback = _CALLBACK.format(port=report_to)

    async def deliver(self, number: int) -> None:
        """Create the nth message."""
        recipient = traffic.customer(number % traffic.CONVERSATIONS)
        fields = {
            "To": recipient,
            "From": traffic.BUSINESS,
            "Body": traffic.TEXT,
            "StatusCallback": self._callback,
        }
        form = urlencode(fields)
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self._session.post(self._url, data=form.encode(), headers=head) as answer:
            await answer.read()
            assert answer.status == 201, answer.status


@asynccontextmanager
async def calling(simulator: str, report_to: int = 8080) -> AsyncIterator[Call]:
    """Open a session as wide as the worker's own; the simulator reports to a port of this machine, if at all.

    Its connections have carried a call each when it is lent, as those of the worker that is measured have.
    """
    auth = aiohttp.BasicAuth(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, auth=auth) as session:
        call = Call(session, simulator, report_to)
        await asyncio.gather(*map(call.deliver, range(CONCURRENCY)))
        yield call


def given() -> argparse.Namespace:
    """Read a rival's command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--simulator", required=True)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--reports", type=int, default=0, help="how many reports on each message to wait for")
    return parser.parse_args()


def say(jobs: int, seconds: float) -> None:
    """Report to whoever started us."""
    print(msgspec.json.encode(Jobs(jobs, seconds)).decode())
