"""`parley up`: database, simulators, worker and web processes, from one command to one Ctrl-C."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import aiohttp
import msgspec
from rich.console import Console
from rich.text import Text

from parley import simulated
from parley.db.embedded import Server, own_folder
from parley.db.migrate import migrate
from parley.db.version import reach
from parley.processes import Children, Program
from parley.providers.registry import build
from parley.settings import Settings, SettingsError, variable
from parley.sockets import listeners, pair

_READY_SECONDS = 30.0
_POLL_SECONDS = 0.1
_PORT_TRIES = 100
_MEMORY = Path("/dev/shm")  # noqa: S108 - the name within it is ours
# Together below the five seconds in which everything has to be over.
_SERVE_PATIENCE, _WORK_PATIENCE, _SIMULATE_PATIENCE, _DATABASE_PATIENCE = 2.2, 1.0, 0.3, 1.0

_console = Console(highlight=False, soft_wrap=True)


async def up(settings: Settings) -> None:
    """Run everything until a signal; return when all of it has ended."""
    interrupts = _Interrupts()
    with _sole(settings.data_dir) as folder, _counts(folder) as counts:
        sockets = listeners(settings.host, settings.port, settings.web_processes or _cores())
        stages = _simulator_sockets(settings)
        if stages:
            settings = msgspec.structs.replace(settings, simulator_port=stages[0].getsockname()[1])
        await _check_providers(settings)
        async with _database(settings, interrupts) as url, Children(_note) as children:
            interrupts.last_resorts.append(children.kill)
            with _closing((*sockets, *stages)):
                await _migrate(url)
                _start(children, sockets, stages, _environment(settings, url, counts))
                await _ready(settings)
                _welcome(settings)
                await asyncio.Event().wait()


def _simulator_sockets(settings: Settings) -> tuple[socket.socket, ...]:
    """Open the simulators' ports: where nobody chose them, a second copy takes the next that are free."""
    if not simulated.wanted(settings):
        return ()
    tries = _PORT_TRIES if settings.simulator_port == Settings().simulator_port else 1
    return pair("127.0.0.1", settings.simulator_port, "SIMULATOR_PORT", tries)


class _Interrupts:
    """The first signal cancels the task that runs us, so that all stops in order; the second kills."""

    def __init__(self) -> None:
        self.last_resorts: list[Callable[[], None]] = []
        self._task = asyncio.current_task()
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        self._count += 1
        if self._count == 1 and self._task is not None:
            _note("stopping; once more ends it at once")
            self._task.cancel()
        elif self._count > 1:
            for end in self.last_resorts:
                end()
            os._exit(1)


async def _check_providers(settings: Settings) -> None:
    """Raise here what every child would stumble over."""
    async with aiohttp.ClientSession() as http:
        build(simulated.with_simulators(settings), http)


@contextlib.contextmanager
def _sole(data_dir: Path) -> Iterator[Path]:
    """Keep the data folder for this process alone."""
    folder = own_folder(data_dir)
    with folder.joinpath("up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SettingsError(
                f"DATA_DIR {data_dir} is in use by another parley (process {file.read().strip()}); "
                "stop that one or choose another with DATA_DIR=…"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield folder


@contextlib.asynccontextmanager
async def _database(settings: Settings, interrupts: _Interrupts) -> AsyncIterator[str]:
    """Lend the address of the database: the configured one, or our own, which is kept running."""
    if settings.database_url:
        _done(f"PostgreSQL {await reach(settings.database_url)} of DATABASE_URL")
        yield settings.database_url
        return
    server = Server(settings.data_dir)
    interrupts.last_resorts.append(server.kill)
    began = time.monotonic()
    try:
        await server.start()
        took = time.monotonic() - began
        _done(f"PostgreSQL {await reach(server.url)} in {settings.data_dir} ({took:.1f} s)")
        guard = asyncio.create_task(server.guard(_note))
        try:
            yield server.url
        finally:
            guard.cancel()
            await asyncio.wait([guard])
    finally:
        await server.stop(_DATABASE_PATIENCE)


async def _migrate(url: str) -> None:
    applied = await migrate(url)
    _done("database " + (f"migrated: {', '.join(applied)}" if applied else "current"))


@contextlib.contextmanager
def _counts(folder: Path) -> Iterator[Path]:
    """Lend an empty folder to count in: in memory, since a full disk kills whoever writes to a mapped file."""
    name = f"parley-{os.geteuid()}-{sha256(os.fsencode(folder)).hexdigest()[:12]}"
    counts = _MEMORY / name if os.access(_MEMORY, os.W_OK) else folder / "metrics"
    shutil.rmtree(counts, ignore_errors=True)
    counts.mkdir(mode=0o700)
    try:
        yield counts
    finally:
        shutil.rmtree(counts, ignore_errors=True)


def _environment(settings: Settings, url: str, counts: Path) -> dict[str, str]:
    """Give what the children shall see: the database, the simulators, one folder to count in."""
    return {
        **os.environ,
        **simulated.environment(settings),
        "DATABASE_URL": url,
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
        variable("simulator_port"): str(settings.simulator_port),
    }


def _start(
    children: Children,
    sockets: Sequence[socket.socket],
    stages: Sequence[socket.socket],
    environment: dict[str, str],
) -> None:
    def program(name: str, *command: str, patience: float, descriptors: Sequence[int] = ()) -> Program:
        return Program(
            name=name,
            command=(sys.executable, "-m", "parley", *command),
            environment=environment,
            descriptors=descriptors,
            patience=patience,
        )

    if stages:
        web, mail = (opened.fileno() for opened in stages)
        command = ("simulate", "--fd", str(web), "--mail-fd", str(mail))
        children.start(program("simulators", *command, patience=_SIMULATE_PATIENCE, descriptors=[web, mail]))
    children.start(program("worker", "work", patience=_WORK_PATIENCE))
    children.start(
        *(
            program(f"web {n}", "serve", "--fd", str(fd), patience=_SERVE_PATIENCE, descriptors=[fd])
            for n, fd in enumerate((opened.fileno() for opened in sockets), start=1)
        )
    )


async def _ready(settings: Settings) -> None:
    """Wait until the service calls itself ready; tell what is missing if that takes long."""
    said = "no answer"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(f"{settings.local_url}/readyz") as answer:
                    if answer.status == 200:
                        _done("the web processes and the worker")
                        return
                    said = await answer.text()
            await asyncio.sleep(_POLL_SECONDS)
    _note(f"not ready yet: {said}")


def _welcome(settings: Settings) -> None:
    if simulated.wanted(settings):
        _done(f"simulated providers on {settings.simulator_url}; no message leaves this machine")
    message = (
        '{"from":"+12016661234","to":"+18045551234","type":"sms","body":"Hello",'
        '"attachments":null,"timestamp":"2024-11-01T14:00:00Z"}'
    )
    lines = (
        f"  Inbox  {settings.url}",
        f"  API    {settings.url}/docs",
        f"  Try    curl {settings.url}/api/messages/sms -H 'Content-Type: application/json' \\",
        f"           -d '{message}'",
        f"  Ctrl-C stops it all; the data stays in {settings.data_dir}.",
    )
    _console.print("", *lines, "", sep="\n", markup=False)


@contextlib.contextmanager
def _closing(sockets: Sequence[socket.socket]) -> Iterator[None]:
    """Close our copies before the web processes stop, or new connections would wait for nobody."""
    try:
        yield
    finally:
        for opened in sockets:
            opened.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# In one piece each: what the processes log goes to the same place.
def _done(text: str) -> None:
    _console.print(Text.assemble(("✓", "green"), " ", text))


def _note(text: str) -> None:
    _console.print(Text.assemble(("•", "yellow"), " ", text))
