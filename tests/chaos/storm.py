"""A storm: many messages, providers that misbehave in every way, a worker killed half-way; then the reckoning.

The judge is the simulators' own ledger of what they accepted, not what we believe.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from parley.db.embedded import running
from parley.db.migrate import migrate
from parley.settings import Settings
from parley.simulated import environment
from tests.contract.service import Service

FAULTS = {
    "error_pct": 20,
    "ratelimit_pct": 10,
    "timeout_pct": 5,
    "callback_lost_pct": 5,
    "callback_doubled_pct": 20,
    "callback_reordered_pct": 20,
}
_CLIENTS = 64
_PAGE = 10_000
_SETTLED_SECONDS = 600.0
_WITHOUT_A_WORD = "select count(*) from messages where status = 'sent' and error_code is null"


@dataclass(frozen=True)
class Reckoning:
    """What the simulators' ledger says of the messages that were answered 202."""

    messages: int
    statuses: dict[str, int]
    lost: list[str]
    """Accepted by us, held to be sent, and not in the ledger."""
    doubled: list[str]
    """In the ledger more than once, though there was a way to know."""
    undecidable: list[str]
    """Emails in the ledger more than once: silence, every event lost, and at-least-once as the setting."""
    unexplained: list[str]
    """Neither delivered nor with a word on why not."""
    faults: dict[str, Any] = field(default_factory=dict)


async def storm(folder: Path, messages: int, seed: int, say: Callable[[str], None]) -> Reckoning:
    """Send messages through the storm and reckon up."""
    async with _service(folder, seed) as (api, simulator, url, workers), aiohttp.ClientSession() as http:
        say(f"seed {seed}: {messages} messages, faults {FAULTS}")
        await _unleash(http, simulator.simulator_url, seed)
        sending = asyncio.create_task(_send(http, api.url, messages, seed))
        await _until(http, simulator.simulator_url, messages // 2)
        workers[0].signal(signal.SIGKILL)
        workers.append(_worker(folder, 3, workers[0].variables))
        say("half of them are out: one worker killed with -9, and replaced")
        ids = await sending
        await _settled(url, say)
        return await _reckon(http, simulator.simulator_url, url, ids)


@asynccontextmanager
async def _service(folder: Path, seed: int) -> AsyncIterator[tuple[Service, Service, str, list[Service]]]:
    """A database, the simulators, one web process and two workers, each a process of its own."""
    async with running(folder / "database") as url:
        await migrate(url)
        first = Service(folder / "any")
        common: dict[str, Any] = {
            **first.variables,
            **environment(Settings(simulators=True, simulator_port=first.simulator_port)),
            "DATABASE_URL": url,
            "PUBLIC_URL": first.url,
            "LOG_LEVEL": "error",
            "PROVIDER_TIMEOUT_SECS": "2",
            "API_WORKER_CLAIM_TIMEOUT_SECS": "5",
            "API_WORKER_BACKOFF_BASE_MS": "100",
            "API_WORKER_MAX_RETRIES": "30",
            "WORKER_BACKOFF_CAP_SECS": "3",
            "API_BREAKER_OPEN_SECS": "1",
            "UNKNOWN_WAIT_SECS": "5",
            "REPORT_WAIT_SECS": "0.5",
        }
        simulator = Service(folder / "simulator", "simulate", **common).launch()
        api = Service(folder / "web", "serve", **common).launch()
        workers = [_worker(folder, n, common) for n in (1, 2)]
        for process in (simulator, api, *workers):
            process.port = first.port
        try:
            await api.ready()
            await simulator.reachable()
            yield api, simulator, url, workers
        finally:
            for process in (*workers, api, simulator):
                if process.alive:
                    process.signal(signal.SIGTERM)
                    await process.ended(20)


def _worker(folder: Path, n: int, variables: dict[str, Any]) -> Service:
    return Service(folder / f"worker-{n}", "work", **variables).launch()


async def _unleash(http: aiohttp.ClientSession, simulator: str, seed: int) -> None:
    async with http.put(f"{simulator}/control/faults", json={**FAULTS, "seed": seed}) as answer:
        assert answer.status == 200, await answer.text()


async def _send(http: aiohttp.ClientSession, url: str, messages: int, seed: int) -> list[str]:
    """Send over all channels, to a third as many people as there are messages; returns the ids."""
    dice = random.Random(seed)
    orders = [_order(dice, n, messages) for n in range(messages)]
    ids: list[str] = []

    async def client() -> None:
        while orders:
            async with http.post(f"{url}/api/messages/send", json=orders.pop()) as answer:
                assert answer.status == 202, await answer.text()
                ids.append((await answer.json())["message_id"])

    await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    return ids


def _order(dice: random.Random, n: int, messages: int) -> dict[str, Any]:
    person = dice.randrange(max(1, messages // 3))
    channel = dice.choice(("sms", "mms", "email"))
    if channel == "email":
        ends = {"from": "shop@example.com", "to": f"person{person}@example.org", "subject": f"Order {n}"}
    else:
        ends = {"from": f"+1201555{person % 10:04d}", "to": f"+1804{2_000_000 + person:07d}"}
    media = ["https://example.com/picture.png"] if channel == "mms" else []
    # Equal texts to the same person are meant: a look-up by addresses and text must not confuse them.
    return {"type": channel, "body": f"Your order is ready, number {n % 5}", "attachments": media, **ends}


async def _until(http: aiohttp.ClientSession, simulator: str, accepted: int) -> None:
    while True:
        async with http.get(f"{simulator}/control/ledger/summary") as answer:
            if (await answer.json())["accepted"] >= accepted:
                return
        await asyncio.sleep(0.1)


async def _settled(url: str, say: Callable[[str], None]) -> None:
    """Wait until no delivery is left, and the last reports have had the time to come in."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(_SETTLED_SECONDS):
            left = -1
            while left != 0:
                left, before = await connection.fetchval("select count(*) from deliveries"), left
                if left != before and left % 100 == 0:
                    say(f"{left} left")
                await asyncio.sleep(0.2)
            while await connection.fetchval(_WITHOUT_A_WORD):
                await asyncio.sleep(0.2)
            await _quiet(connection)
    finally:
        await connection.close()


async def _quiet(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until the feed has told nothing new for a while."""
    newest, still = None, 0
    while still < 15:
        latest = await connection.fetchval("select max(id) from events")
        still = still + 1 if latest == newest else 0
        newest = latest
        await asyncio.sleep(0.2)


async def _reckon(http: aiohttp.ClientSession, simulator: str, url: str, ids: list[str]) -> Reckoning:
    counts = Counter([entry["message_id"] async for entry in _ledger(http, simulator)])
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            """
            select m.id::text, m.channel, m.status, m.error_code, exists (
                select from attempts a
                where a.account_id = m.account_id and a.message_id = m.id and a.code = 'sent_again'
            ) as sent_again
            from messages m
            """
        )
    finally:
        await connection.close()
    assert sorted(row["id"] for row in rows) == sorted(ids), "what was answered 202 is what is stored"
    twice = [row for row in rows if counts[row["id"]] > 1]
    async with http.get(f"{simulator}/control/ledger/summary") as answer:
        faults = (await answer.json())["faults"]
    return Reckoning(
        messages=len(ids),
        statuses=dict(Counter(row["status"] for row in rows)),
        lost=[row["id"] for row in rows if counts[row["id"]] == 0 and row["status"] != "failed"],
        doubled=[row["id"] for row in twice if not row["sent_again"]],
        undecidable=[row["id"] for row in twice if row["sent_again"]],
        unexplained=[row["id"] for row in rows if row["status"] != "delivered" and row["error_code"] is None],
        faults=faults,
    )


async def _ledger(http: aiohttp.ClientSession, simulator: str) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while after is not None:
        parameters = {"after": after, "limit": _PAGE}
        async with http.get(f"{simulator}/control/ledger", params=parameters) as answer:
            page = await answer.json()
        for entry in page["entries"]:
            yield entry
        after = page["next"]
