"""Says the lines of the script to a running service; a second time, they are all known there already."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec

from parley.demo.script import Line, lines

_AT_ONCE = 16
_TRIES = 5
# What the people of the firm have looked at and put away, by the age of the last line.
_READ, _CLOSED = timedelta(hours=4), timedelta(days=4)


class Said(msgspec.Struct, frozen=True):
    """What the service made of a line."""

    outcome: str
    conversation: str = ""


async def fill(
    base_url: str,
    *,
    seed: int = 1,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Counter[str]:
    """Send and receive everything; returns how many messages were new, known or refused."""
    moment = now or datetime.now(UTC)
    script = lines(seed, moment)
    outcomes: Counter[str] = Counter()
    show = progress or _show
    async with aiohttp.ClientSession(base_url.rstrip("/") + "/") as http:
        simulated = await _is_simulated(http)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def tell(told: Sequence[Line]) -> None:
            # One after the other within a conversation: somebody may be watching.
            said = Said("")
            for line in told:
                async with gate:
                    said = await _say(http, line, base_url, simulated)
                outcomes[said.outcome] += 1
                show(outcomes.total(), len(script))
            if said.outcome == "new":
                await _put_away(http, said.conversation, moment - told[-1].at)

        await asyncio.gather(*(tell(told) for told in _conversations(script)))
    return outcomes


def _conversations(script: Sequence[Line]) -> list[list[Line]]:
    spoken: dict[str, list[Line]] = {}
    for line in script:
        spoken.setdefault(line.contact, []).append(line)
    return sorted(spoken.values(), key=lambda told: told[-1].at)


async def _is_simulated(http: aiohttp.ClientSession) -> bool:
    async with http.get("api/provider/mock/config") as answer:
        return answer.status == 200


async def _say(http: aiohttp.ClientSession, line: Line, base_url: str, simulated: bool) -> Said:
    path, body, headers = _request(line, base_url, simulated)
    for again in range(_TRIES):
        async with http.post(path, json=body, headers=headers) as answer:
            said = await answer.json()
            if answer.status in (429, 503):
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")) * (again + 1))
                continue
            if answer.status == 409 or said.get("duplicate") or "Idempotent-Replayed" in answer.headers:
                return Said("known")
            return Said("new", said["conversation_id"]) if answer.status == 202 else Said("refused")
    return Said("refused")


def _request(line: Line, base_url: str, simulated: bool) -> tuple[str, dict[str, Any], dict[str, str]]:
    attachments = [f"{base_url.rstrip('/')}/static/demo/{line.picture}"] if line.picture else []
    body: dict[str, Any] = {
        "from": line.contact if line.inbound else line.own,
        "to": line.own if line.inbound else line.contact,
        "type": line.channel,
        "body": line.text,
        "attachments": attachments,
        "timestamp": line.at.isoformat(),
    }
    if line.subject:
        body["subject"] = line.subject
    if not line.inbound:
        return "api/messages/send", body, {"Idempotency-Key": f"demo-{line.id}"}
    email = line.channel == "email"
    body["xillio_id" if email else "messaging_provider_id"] = f"demo-{line.id}"
    if simulated:
        return "api/provider/mock/inbound", body | {"channel": line.channel}, {}
    return f"api/webhooks/{'email' if email else 'sms'}", body, {}


async def _put_away(http: aiohttp.ClientSession, conversation: str, age: timedelta) -> None:
    acts = [act for act, least in (("read", _READ), ("close", _CLOSED)) if age > least]
    for act in acts:
        async with http.post(f"api/conversations/{conversation}/{act}") as answer:
            await answer.read()


def _show(done: int, total: int) -> None:
    """Keep one line up to date, where somebody is looking."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} messages" + ("\n" if done == total else ""))
        sys.stderr.flush()
