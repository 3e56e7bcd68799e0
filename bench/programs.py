"""The programs that are measured, as real processes: started, waited for, paused while others run, stopped."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

import aiohttp

from bench.proc import busy_seconds, family
from bench.wrk import BenchError
from parley.settings import Settings
from parley.simulated import environment
from parley.sockets import listeners
from parley.tether import tether

_ROOT = Path(__file__).parents[1]
_READY_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


class Program:
    """One process and its descendants."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        variables: dict[str, str],
        log: Path,
        descriptors: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._log = log
        # Neither the environment nor the `.env` of whoever runs the measurement is what is measured.
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(_ROOT),
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *command], env=surroundings | variables, cwd=log.parent, pass_fds=descriptors,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=tether(signal.SIGKILL),  # noqa: PLW1509 - it makes two system calls and takes no lock
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise, with its last words, if it has ended."""
        if self._process.poll() is not None:
            said = self._log.read_text(errors="replace").strip()[-500:]
            raise BenchError(f"{self.name} ended with {self._process.returncode}: {said}")

    def busy_seconds(self) -> float:
        """Processor time that it has taken so far."""
        return busy_seconds(family(self.pid))

    def signal(self, number: signal.Signals) -> None:
        """Send it, and all that descend from it, a signal."""
        for pid in family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """End it politely; by force if that takes long."""
        self.signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait()


class Crew:
    """Programs that do one job together under one address."""

    def __init__(self, programs: Sequence[Program], port: int) -> None:
        self.programs = programs
        self.url = f"http://127.0.0.1:{port}"

    def busy_seconds(self) -> float:
        """Processor time that they have taken so far."""
        return sum(program.busy_seconds() for program in self.programs)

    def pause(self) -> None:
        """Have them take no processor time while others are measured."""
        for program in self.programs:
            program.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        for program in self.programs:
            program.signal(signal.SIGCONT)

    async def answers(self, path: str = "/healthz", status: int | None = None) -> Self:
        """Wait until they answer, with this status if one is given."""
        until = time.monotonic() + _READY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            while time.monotonic() < until:
                for program in self.programs:
                    program.check()
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(self.url + path) as answer:
                        if status in (None, answer.status):
                            return self
                await asyncio.sleep(_POLL_SECONDS)
        raise BenchError(f"{self.programs[0].name} does not answer on {self.url}")

    def stop(self) -> None:
        """End them."""
        for program in self.programs:
            program.stop()


class Yard:
    """Where programs are started: each with a log, and all on one database."""

    def __init__(self, folder: Path, database_url: str, **variables: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, self.simulator_port = free_port(), free_port()
        told = environment(Settings(simulators=True, simulator_port=self.simulator_port))
        counts = folder / "metrics"
        counts.mkdir(exist_ok=True)
        self.variables = {
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "PROMETHEUS_MULTIPROC_DIR": str(counts),
            "LOG_LEVEL": "warning",
            **told,
            **variables,
        }

    @contextlib.asynccontextmanager
    async def web(self, count: int, *module: str) -> AsyncIterator[Crew]:
        """Start web processes of the service, or of a module that takes a listening socket as they do."""
        sockets = listeners("127.0.0.1", self.port, count)
        command = ("-m", *(module or ("parley", "serve")))
        programs = [
            self.program(f"web {n}", *command, "--fd", str(opened.fileno()), descriptors=[opened.fileno()])
            for n, opened in enumerate(sockets)
        ]
        for opened in sockets:
            opened.close()
        async with self._lent(Crew(programs, self.port)) as crew:
            yield crew

    @contextlib.asynccontextmanager
    async def simulators(self) -> AsyncIterator[Crew]:
        """Start the simulated providers."""
        crew = Crew([self.program("simulators", "-m", "parley", "simulate")], self.simulator_port)
        async with self._lent(crew, "/control/faults") as ready:
            yield ready

    def program(self, name: str, *command: str, descriptors: Sequence[int] = ()) -> Program:
        """Start one process."""
        return Program(name, command, self.variables, self.folder / f"{name}.log", descriptors)

    @contextlib.asynccontextmanager
    async def _lent(self, crew: Crew, path: str = "/healthz") -> AsyncIterator[Crew]:
        try:
            yield await crew.answers(path)
        finally:
            crew.stop()


def free_port() -> int:
    """A port that nobody listens on, nor on the next; below those from which the system takes ports by itself."""
    while True:
        port = random.randrange(12_000, 30_000)
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
