"""The real service for the browser: `parley up` with its worker and simulators, on a database of its own."""

import asyncio
import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.ports import free_ports
from tests.waiting import until

BUSINESS, OFFICE = "+12015550100", "office@birch.example.com"
_numbers = count(1)


class Service:
    """A running service, and the people who write to it."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._http = http

    async def post(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """A request of a program, which must succeed."""
        async with self._http.post(self.url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return dict(await answer.json())

    async def get(self, path: str) -> dict[str, Any]:
        async with self._http.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def text(self, contact: str, body: str, **more: Any) -> str:
        """A customer sends an SMS; the number of the conversation."""
        message = {"from": contact, "to": BUSINESS, "type": "sms", "body": body} | more
        return str((await self.post("/api/webhooks/sms", message))["conversation_id"])

    async def mail(self, contact: str, subject: str, body: str, **more: Any) -> str:
        """A customer sends an email; the number of the conversation."""
        message = {"from": contact, "to": OFFICE, "subject": subject, "body": body} | more
        return str((await self.post("/api/webhooks/email", message))["conversation_id"])

    async def send(self, contact: str, body: str, **more: Any) -> dict[str, Any]:
        """The business sends an SMS."""
        return await self.post(
            "/api/messages/sms", {"from": BUSINESS, "to": contact, "type": "sms", "body": body} | more
        )

    async def faults(self, **changes: float) -> None:
        """Have the simulators misbehave."""
        async with self._http.put(self.url + "/api/provider/mock/config", json=changes) as answer:
            assert answer.status == 200, await answer.text()

    async def indexed(self, word: str) -> None:
        """Return when a word can be found; the index follows within a second."""
        end = time.monotonic() + 10
        while not (await self.get(f"/api/search?q={word}"))["items"]:
            assert time.monotonic() < end, f"{word} was not indexed"
            await asyncio.sleep(0.02)

    async def sent(self, conversation: str) -> list[dict[str, Any]]:
        """What the business said in a conversation."""
        thread = await self.get(f"/api/conversations/{conversation}/messages?per_page=200")
        return [message for message in thread["items"] if message["direction"] == "outbound"]


def somebody() -> str:
    """A phone number that no other test uses."""
    return f"+1909555{next(_numbers):04d}"


def mailbox() -> str:
    """A mailbox that no other test uses."""
    return f"customer{next(_numbers)}@example.org"


class Process:
    """`parley up` as a child."""

    def __init__(self, folder: Path, database_url: str, **changes: str) -> None:
        self.port, simulators = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self._said = folder / "said"
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(simulators),
            "WEB_PROCESSES": "1",
            "LOG_LEVEL": "warning",
            "API_WORKER_MAX_RETRIES": "6",
            "API_WORKER_BACKOFF_BASE_MS": "20",
            "API_BREAKER_OPEN_SECS": "1",
        }
        with self._said.open("ab") as said:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "parley", "up"],
                env=environment | changes,
                cwd=folder,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Return when the service can do its work."""
        try:
            await until(lambda: "Ctrl-C stops it all" in self.said() and "worker" in self.said())
        except AssertionError:
            raise AssertionError(self.said()) from None

    def said(self) -> str:
        return self._said.read_text()

    async def stop(self) -> None:
        self._child.terminate()
        await asyncio.to_thread(self._child.wait, 20)
