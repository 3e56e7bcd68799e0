"""A really started service: `parley up` as a child process, and everything that belongs to it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.ports import free_ports, is_free

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
STOP_SECONDS = 5.0


class Service:
    """One `parley` process with all its children, in a folder and on ports of its own."""

    def __init__(self, folder: Path, command: str = "up", port: int | None = None, **variables: str) -> None:
        free, self.simulator_port = free_ports()
        self.port = port or free
        self.folder = folder
        self.command = command
        self.variables = {
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "DATA_DIR": str(folder / "data"),
            "WEB_PROCESSES": "2",
            "LOG_LEVEL": "info",
            **variables,
        }
        self.log = folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.variables['SIMULATOR_PORT']}"

    def launch(self) -> Self:
        """Start the process and do not wait; what it says is appended to the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Nothing of the environment or the folder of whoever runs the tests.
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **self.variables}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "parley", self.command],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def start(self) -> Self:
        """Start the process and wait until it calls itself ready."""
        self.launch()
        await self.ready()
        return self

    async def ready(self) -> None:
        """Wait for /readyz."""
        async with aiohttp.ClientSession() as http:
            until = time.monotonic() + READY_SECONDS
            while not await _is_ready(http, self.url):
                assert self.alive, self.said()
                assert time.monotonic() < until, self.said()
                await asyncio.sleep(0.05)

    async def reachable(self) -> None:
        """Wait until the simulators take connections."""
        await until(lambda: not is_free(int(self.variables["SIMULATOR_PORT"])), READY_SECONDS)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the end of the process and return its exit code."""
        assert self._process is not None
        await until(lambda: not self.alive, seconds)
        return self._process.wait()

    async def stop(self) -> None:
        """Stop it politely: it ends in time, says it was no error, and leaves no process behind."""
        if not self.alive:
            return
        family = self.family()
        self.signal(signal.SIGTERM)
        assert await self.ended() == 0, self.said()
        assert [pid for pid in family if lives(*pid)] == []

    async def kill(self) -> None:
        """`kill -9` of every process at once, PostgreSQL's included."""
        family = self.family()
        for pid, _ in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        await until(lambda: not any(lives(*pid) for pid in family))

    def family(self) -> set[tuple[int, int]]:
        """The process and all its descendants, each with its start time, since numbers are used again."""
        found, generation = {self.pid}, {self.pid}
        parents = {pid: status[1] for pid, status in _processes()}
        while generation:
            generation = {pid for pid, parent in parents.items() if parent in generation} - found
            found |= generation
        born = {pid: status[19] for pid, status in _processes()}
        return {(pid, born[pid]) for pid in found if pid in born}

    def said(self) -> str:
        """All output so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """The structured lines of the log with these fields, but for one that is still being written."""
        # Not by splitlines(), which takes much more than a line feed for the end of a line.
        found = [json.loads(line) for line in self.said().split("\n")[:-1] if line.startswith("{")]
        return [line for line in found if having.items() <= line.items()]


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """Lend a started service; it is stopped politely at the end, or by force if that fails."""
    try:
        await service.start()
        yield service
        await service.stop()
    finally:
        if service.alive:
            await service.kill()


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


def lives(pid: int, born: int) -> bool:
    """Whether that very process is still there; one that only waits to be buried is not."""
    status = _status(pid)
    return status is not None and status[19] == born and status[0] != ord("Z")


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError):
        return False


def _processes() -> list[tuple[int, list[int]]]:
    found = ((int(entry.name), _status(int(entry.name))) for entry in Path("/proc").glob("[0-9]*"))
    return [(pid, status) for pid, status in found if status is not None]


def _status(pid: int) -> list[int] | None:
    """What /proc says of a process after its name: state, parent, …; the twentieth is its start time."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return [ord(words[0]), *map(int, words[1:])]
