"""A client of the API, and the requests that it sends."""

import itertools
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
from yarl import URL

_numbers = itertools.count(random.randrange(10_000) * 100)
_JSON = {"Content-Type": "application/json"}


class Reply(msgspec.Struct, frozen=True):
    """An answer, read to its end."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> list[str]:
        """The fields that a refusal names."""
        return [detail["field"] for detail in self.json["details"]]


class Api:
    """Sends requests to one service; paths go out exactly as they are written."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send JSON, or bytes as they are."""
        given = {name.lower() for name in headers or {}}
        kind = {} if (body is None and raw is None) or "content-type" in given else _JSON
        data = raw if body is None else self.encoded(body)
        url = URL(self.url + path, encoded=True)
        async with self.http.request(method, url, data=data, headers={**kind, **(headers or {})}) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    @staticmethod
    def encoded(body: Any) -> bytes:
        """A body as it goes out: in UTF-8, and escaped only where that cannot hold it."""
        try:
            return json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return json.dumps(body).encode()

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.request("GET", path, headers=_spelled(headers))

    async def post(self, path: str, body: Any = None, *, raw: Any = None, **headers: str) -> Reply:
        return await self.request("POST", path, body=body, raw=raw, headers=_spelled(headers))

    async def put(self, path: str, body: Any = None) -> Reply:
        return await self.request("PUT", path, body=body)

    async def accepted(self, path: str, body: Any, **headers: str) -> Any:
        """Send what must be accepted."""
        reply = await self.post(path, body, **headers)
        assert reply.status == 202, reply
        return reply.json

    async def conversation(self, number: str) -> Any:
        reply = await self.get(f"/api/conversations/{number}")
        assert reply.status == 200, reply
        return reply.json

    async def message(self, number: str) -> Any:
        reply = await self.get(f"/api/messages/{number}")
        assert reply.status == 200, reply
        return reply.json

    async def thread(self, number: str) -> list[Any]:
        """All messages of a conversation."""
        return [
            item
            async for page in self.pages(f"/api/conversations/{number}/messages")
            for item in page["items"]
        ]

    async def pages(self, path: str, size: int = 200) -> AsyncIterator[Any]:
        """A list page by page, to its end."""
        cursor: str | None = ""
        while cursor is not None:
            reply = await self.get(f"{path}?per_page={size}&cursor={cursor}")
            assert reply.status == 200, reply
            yield reply.json
            cursor = reply.json["meta"]["next_cursor"]


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def number() -> str:
    """A phone number that no other test has."""
    return f"+1804{next(_numbers) % 8_000_000 + 2_000_000:07d}"


def mailbox() -> str:
    """A mailbox that no other test has."""
    return f"ann{next(_numbers)}@example.com"


def sms(**changes: Any) -> dict[str, Any]:
    """An SMS from the business to somebody new."""
    return {
        "from": "+12016661234",
        "to": number(),
        "type": "sms",
        "body": "Hello! This is a test SMS message.",
        "attachments": None,
        "timestamp": "2024-11-01T14:00:00Z",
    } | _named(changes)


def email(**changes: Any) -> dict[str, Any]:
    """An email from the business to somebody new."""
    return {
        "from": "desk@example.com",
        "to": mailbox(),
        "body": "Hello! This is a test email message with <b>HTML</b> formatting.",
        "attachments": ["https://example.com/attachment.pdf"],
        "timestamp": "2024-11-01T14:00:00Z",
    } | _named(changes)


def sms_webhook(**changes: Any) -> dict[str, Any]:
    """An SMS from somebody new to the business."""
    return {
        "from": number(),
        "to": "+12016661234",
        "type": "sms",
        "messaging_provider_id": f"message-{next(_numbers)}",
        "body": "This is an incoming SMS message",
        "attachments": None,
        "timestamp": "2024-11-01T14:00:00Z",
    } | _named(changes)


def email_webhook(**changes: Any) -> dict[str, Any]:
    """An email from somebody new to the business."""
    return {
        "from": mailbox(),
        "to": "desk@example.com",
        "xillio_id": f"message-{next(_numbers)}",
        "body": "<html><body>This is an incoming email with <b>HTML</b> content</body></html>",
        "attachments": ["https://example.com/received-document.pdf"],
        "timestamp": "2024-11-01T14:00:00Z",
    } | _named(changes)


def _named(changes: dict[str, Any]) -> dict[str, Any]:
    """`sender` and `recipient` stand for the words that Python keeps for itself."""
    words = {"sender": "from", "recipient": "to"}
    return {words.get(name, name): value for name, value in changes.items()}
