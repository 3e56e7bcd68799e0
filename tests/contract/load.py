"""Clients that send without a pause and write down what they were answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec

from tests.contract.client import Api, Reply, email, number, sms, sms_webhook

SEND, MAIL, HOOK = "/api/messages/sms", "/api/messages/email", "/api/webhooks/sms"


class Sent(msgspec.Struct):
    """One request and its answer; none where the connection broke."""

    path: str
    body: dict[str, Any]
    key: str
    reply: Reply | None

    @property
    def accepted(self) -> str | None:
        """The id of the message, if the service promised that it has it."""
        return self.reply.json["message_id"] if self.reply is not None and self.reply.status == 202 else None


class Load:
    """What was sent so far."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._stopped = False
        self.sent: list[Sent] = []

    def statuses(self) -> set[int]:
        return {sent.reply.status for sent in self.sent if sent.reply is not None}

    def accepted(self, path: str | None = None) -> list[str]:
        """The ids of the messages that were answered 202."""
        found = [sent.accepted for sent in self.sent if path in (None, sent.path)]
        return [id for id in found if id is not None]

    async def run(self, theirs: list[str]) -> None:
        """Send and receive in turns until stopped."""
        while not self._stopped:
            them = theirs[len(self.sent) % len(theirs)]
            key = f"key-{number()}"
            await self._one(SEND, sms(recipient=them, body=key), key)
            key = f"key-{number()}"
            await self._one(HOOK, sms_webhook(sender=them, body=key, messaging_provider_id=key), key)
            key = f"key-{number()}"
            await self._one(MAIL, email(recipient=f"ann{them[1:]}@example.com", body=key), key)

    def stop(self) -> None:
        self._stopped = True

    async def again(self) -> None:
        """Send once more what was answered badly or not at all, each with its key."""
        missing = [sent for sent in self.sent if sent.accepted is None]
        for start in range(0, len(missing), 50):
            await asyncio.gather(*(self._again(sent) for sent in missing[start : start + 50]))

    async def _again(self, sent: Sent) -> None:
        sent.reply = await self._api.post(sent.path, sent.body, Idempotency_Key=sent.key)

    async def _one(self, path: str, body: dict[str, Any], key: str) -> None:
        sent = Sent(path, body, key, None)
        with contextlib.suppress(aiohttp.ClientError, OSError):
            sent.reply = await self._api.post(path, body, Idempotency_Key=key)
        self.sent.append(sent)
        if sent.accepted is None:
            await asyncio.sleep(0.05)  # without a pause this would only heat the machine


@contextlib.asynccontextmanager
async def under_load(api: Api, clients: int = 12, conversations: int = 5) -> AsyncIterator[Load]:
    """Keep a service busy."""
    load = Load(api)
    theirs = [number() for _ in range(conversations)]
    tasks = [asyncio.create_task(load.run(theirs)) for _ in range(clients)]
    try:
        yield load
    finally:
        load.stop()
        await asyncio.gather(*tasks)
