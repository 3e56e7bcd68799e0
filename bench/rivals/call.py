"""The request that delivers a message, as the service's own provider makes it."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from bench import traffic
from bench.connected import connected
from parley.providers.http import form
from parley.settings import Settings
from parley.simulators.credentials import TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN

CONCURRENCY = Settings().worker_concurrency
WARM_UP = 500
_POLL_SECONDS = 0.02
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
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self._session.post(self._url, data=form(fields).encode(), headers=head) as answer:
            await answer.read()
            assert answer.status == 201, answer.status


@asynccontextmanager
async def calling(simulator: str, report_to: int = 8080) -> AsyncIterator[Call]:
    """Open a session as wide as the worker's own; the simulator reports to a port of this machine, if at all.

    Its connections have carried a call each when it is lent, as those of the worker that is measured have.
    """
    own = {"Authorization": aiohttp.BasicAuth(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN).encode()}
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, headers=own) as session:
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


async def emptied(url: str, table: str) -> float:
    """The moment at which nothing is left in a table, as the service is asked whether all is settled."""
    async with connected(url) as connection:
        while not await connection.fetchval(f"select not exists (select from {table})"):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter()


def say(jobs: int, seconds: float) -> None:
    """Report to whoever started us."""
    print(msgspec.json.encode(Jobs(jobs, seconds)).decode())
