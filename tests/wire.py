"""Between the service and PostgreSQL: counts on the wire how often the service waits for an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

# What a client sends last before it waits: a whole simple query, or the end of a pipeline.
_ASKS = frozenset(b"QS")
_HEAD = 5


class Wire:
    """The address of a database by way of us, and what came through."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.round_trips = 0

    async def forward(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        """Pass on the greeting, which has no letter in front, and then message by message."""
        size = await client.readexactly(4)
        server.write(size + await client.readexactly(int.from_bytes(size, "big") - 4))
        while head := await client.read(1):
            head += await client.readexactly(_HEAD - 1)
            server.write(head + await client.readexactly(int.from_bytes(head[1:], "big") - 4))
            self.round_trips += head[0] in _ASKS


@contextlib.asynccontextmanager
async def tapped(url: str, folder: Path) -> AsyncIterator[Wire]:
    """Lend a wire to the database; it ends with everything that is connected through it."""
    parts = urlsplit(url)
    behind = Path(parse_qs(parts.query)["host"][0], ".s.PGSQL.5432")
    wire = Wire(urlunsplit(parts._replace(query=f"host={folder}&port=5432")))
    tasks: set[asyncio.Task[None]] = set()

    async def connected(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        replies, server = await asyncio.open_unix_connection(behind)
        ways = [
            asyncio.create_task(wire.forward(client, server)),
            asyncio.create_task(_copy(replies, answers)),
        ]
        tasks.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for writer in (server, answers):
            writer.close()

    listening = await asyncio.start_unix_server(connected, folder / ".s.PGSQL.5432")
    try:
        yield wire
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65_536):
        writer.write(block)
