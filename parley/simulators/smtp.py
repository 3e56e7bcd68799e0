"""An SMTP server that takes mail for everybody and keeps it in the ledger."""

import asyncio
import contextlib
import re
import socket
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import AsyncIterator

from parley.simulators.mail import entry
from parley.simulators.wire import same
from parley.simulators.world import World

_PATH = re.compile(rb"(?:FROM|TO):\s*<([^<>\s]*)>(.*)", re.IGNORECASE)
_SIZE = re.compile(rb"\bSIZE=(\d{1,12})", re.IGNORECASE)
_LONGEST_LINE = 65_536
_IDLE_SECS = 300
_MOST_RECIPIENTS = 1000
_OK = "250 2.0.0 OK"
_TOO_BIG = "552 5.3.4 Message too big"
_AWAY = "421 4.3.2 Service not available"
_REFUSALS = {
    "error": "451 4.3.0 Internal error",
    "ratelimit": "450 4.7.1 Too many messages, slow down",
    "ratelimit_bare": "450 4.7.1 Too many messages, slow down",
    "refuse": _AWAY,
}


@contextlib.asynccontextmanager
async def listening(world: World, where: socket.socket) -> AsyncIterator[None]:
    """Take mail on a bound socket while the context lasts."""
    sessions: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            sessions.add(task)
            task.add_done_callback(sessions.discard)
        try:
            await Session(world, reader, writer).run()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(meet, sock=where, limit=_LONGEST_LINE)
    try:
        yield
    finally:
        server.close()
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


class Session:
    """One client's connection."""

    def __init__(self, world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._world = world
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._verbs = {
            b"EHLO": self._greet,
            b"HELO": self._agree,
            b"NOOP": self._agree,
            b"AUTH": self._authenticate,
            b"MAIL": self._mail,
            b"RCPT": self._recipient,
            b"DATA": self._data,
            b"RSET": self._reset,
        }

    async def run(self) -> None:
        """Talk until the client leaves or has to."""
        faults = self._world.faults.of("smtp")
        if faults.down:
            faults.note("down")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            answer: str | None = _AWAY if faults.down else "220 simulator ESMTP"
            while answer is not None:
                await self._say(answer)
                if answer.startswith(("421", "221")):
                    return
                answer = await self._next()

    async def _next(self) -> str | None:
        """The answer to the next command; None cuts the connection."""
        line = await self._line()
        if line is None:
            return "500 5.5.2 Line too long"
        verb, _, rest = line.partition(b" ")
        if verb.upper() == b"QUIT":
            return "221 2.0.0 Bye"
        obey = self._verbs.get(verb.upper())
        return await obey(rest.strip()) if obey else "502 5.5.1 Command not implemented"

    async def _greet(self, rest: bytes) -> str:
        size = f"SIZE {self._world.config.smtp_max_bytes}"
        return f"250-simulator\r\n250-{size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN"

    async def _agree(self, rest: bytes) -> str:
        return _OK

    async def _reset(self, rest: bytes) -> str:
        self._forget()
        return _OK

    async def _authenticate(self, rest: bytes) -> str:
        """Credentials are not needed, but wrong ones are refused."""
        kind, _, initial = rest.partition(b" ")
        if kind.upper() == b"PLAIN":
            _, user, password = [*_decoded(initial or await self._ask("")).split(b"\0"), b"", b""][:3]
        elif kind.upper() == b"LOGIN":
            user = _decoded(initial or await self._ask("VXNlcm5hbWU6"))
            password = _decoded(await self._ask("UGFzc3dvcmQ6"))
        else:
            return "504 5.5.4 Unknown mechanism"
        known = self._world.config.credentials
        right = [same(user, known.smtp_username), same(password, known.smtp_password)]
        return "235 2.7.0 Welcome" if all(right) else "535 5.7.8 Wrong credentials"

    async def _mail(self, rest: bytes) -> str:
        path, size = _PATH.fullmatch(rest), _SIZE.search(rest)
        if path is None:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        if size and int(size[1]) > self._world.config.smtp_max_bytes:
            return _TOO_BIG
        self._forget()
        self._sender = path[1].decode("utf-8", "replace")
        return "250 2.1.0 OK"

    async def _recipient(self, rest: bytes) -> str:
        path = _PATH.fullmatch(rest)
        if self._sender is None:
            return "503 5.5.1 MAIL first"
        if path is None or not path[1]:
            return "501 5.5.4 Syntax: RCPT TO:<address>"
        if path[1].lower().startswith(b"bounce@"):
            return "550 5.1.1 No such user here"
        if len(self._recipients) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        self._recipients.append(path[1].decode("utf-8", "replace"))
        return "250 2.1.5 OK"

    async def _data(self, rest: bytes) -> str | None:
        if self._sender is None or not self._recipients:
            return "503 5.5.1 RCPT first"
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        self._world.requests["smtp"] += 1
        answer = _TOO_BIG if content is None else await self._take(content, self._sender)
        self._forget()
        return answer

    async def _take(self, content: bytes, sender: str) -> str | None:
        """Accept a mail, or let the fault drawn for it have its way."""
        faults = self._world.faults.of("smtp")
        fault = faults.draw()
        if fault != "ok":
            faults.note(fault)
        if fault == "drop" or fault in _REFUSALS:
            return _REFUSALS.get(fault)
        taken = entry(content, sender, self._recipients, self._world.now())
        self._world.ledger.add(taken)
        if fault == "silence":
            async with asyncio.timeout(self._world.config.silence_secs):
                while await self._reader.read(_LONGEST_LINE):
                    pass
            return None
        await asyncio.sleep(faults.slow_secs)
        taken.answered = True
        return f"250 2.0.0 OK: queued as {taken.id}"

    async def _content(self) -> bytes | None:
        """Read up to the lone dot, dots unstuffed; None if it is more than we take."""
        parts: list[bytes] = []
        room = self._world.config.smtp_max_bytes
        while (line := await self._line()) != b".":
            room = -1 if line is None or room < 0 else room - len(line) - 2
            if line is None or room < 0:
                parts.clear()
            else:
                parts.append(line.removeprefix(b".") + b"\r\n")
        return b"".join(parts) if room >= 0 else None

    async def _line(self) -> bytes | None:
        """Read a line; None stands for a piece of one that is too long."""
        async with asyncio.timeout(_IDLE_SECS):
            try:
                return (await self._reader.readuntil(b"\r\n"))[:-2]
            except asyncio.LimitOverrunError as long:
                await self._reader.readexactly(long.consumed)
                return None

    async def _ask(self, prompt: str) -> bytes:
        await self._say(f"334 {prompt}")
        return await self._line() or b""

    async def _say(self, text: str) -> None:
        self._writer.write(text.encode() + b"\r\n")
        await self._writer.drain()

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64:
        return b""
