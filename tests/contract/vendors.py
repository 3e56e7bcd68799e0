"""The simulated vendors in a process of their own, which survives the service and counts what reaches it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from parley.settings import Settings
from parley.simulated import environment
from tests.contract.service import Service


class Vendors:
    """Simulated vendors that post their webhooks to one port."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self._process = Service(folder, "simulate")
        self._http = http

    @property
    def port(self) -> int:
        """The port on which the service has to be."""
        return self._process.port

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a service that uses them, and soon takes a silent worker for dead."""
        settings = Settings(simulators=True, simulator_port=self._process.simulator_port)
        return environment(settings) | {
            "SIMULATORS": "false",
            "PORT": str(self.port),
            "PROVIDER_TIMEOUT_SECS": "2",
            "API_WORKER_CLAIM_TIMEOUT_SECS": "4",
            "UNKNOWN_WAIT_SECS": "4",
        }

    async def start(self) -> None:
        """Start them and wait until they answer."""
        self._process.launch()
        async with asyncio.timeout(30):
            while True:
                try:
                    await self._ask("GET", "ledger/summary")
                except aiohttp.ClientConnectionError:
                    assert self._process.alive, self._process.said()
                    await asyncio.sleep(0.05)
                else:
                    return

    async def stop(self) -> None:
        await self._process.kill()

    async def slow_down(self, milliseconds: float) -> None:
        """Let every answer take its time, so that many are under way at any moment."""
        await self._ask("PUT", "faults", {"slow_ms": milliseconds})

    async def carried(self) -> Counter[str]:
        """How often each of our messages reached a vendor."""
        found: Counter[str] = Counter()
        after: int | None = 0
        while after is not None:
            page = await self._ask("GET", f"ledger?limit=10000&after={after}")
            found.update(entry["message_id"] for entry in page["entries"])
            after = page["next"]
        return found

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self._process.simulator_url}/control/{path}"
        async with self._http.request(method, url, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()
