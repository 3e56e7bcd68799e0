"""Several client processes that send at once, as several machines would."""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import msgspec

from tests.contract.client import Api
from tests.contract.service import ROOT


class Order(msgspec.Struct):
    """One POST."""

    path: str
    body: Any
    headers: dict[str, str] = {}


class Heard(msgspec.Struct):
    """What became of it; status 0 is a connection that broke."""

    status: int
    json: Any = None
    replayed: bool = False


async def send(url: str, orders: list[Order], processes: int = 4) -> list[Heard]:
    """Deal the orders out to client processes, let them all go at once, and gather the answers in order."""
    crowd = [await _start(url) for _ in range(processes)]
    for one in crowd:
        assert one.stdout is not None
        assert await one.stdout.readline() == b"here\n"
    shares = [msgspec.json.encode(orders[n::processes]) for n in range(processes)]
    said = await asyncio.gather(*(one.communicate(share) for one, share in zip(crowd, shares, strict=True)))
    heard: list[Heard] = [Heard(0)] * len(orders)
    for n, (output, _) in enumerate(said):
        heard[n::processes] = msgspec.json.decode(output, type=list[Heard])
    return heard


async def _start(url: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contract.crowd", url, cwd=ROOT, stdin=pipe, stdout=pipe
    )


async def _send_all(url: str, orders: list[Order]) -> list[Heard]:
    """Send everything at once; every request has a connection of its own, so all web processes get some."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        api = Api(http, url)
        return await asyncio.gather(*(_send_one(api, order) for order in orders))


async def _send_one(api: Api, order: Order) -> Heard:
    try:
        reply = await api.request("POST", order.path, body=order.body, headers=order.headers)
    except (aiohttp.ClientError, OSError):
        return Heard(0)
    return Heard(reply.status, json.loads(reply.body), "Idempotent-Replayed" in reply.headers)


if __name__ == "__main__":
    print("here", flush=True)
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Order])
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_send_all(sys.argv[1], given))))
