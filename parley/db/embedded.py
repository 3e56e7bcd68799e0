"""A real PostgreSQL of our own in `DATA_DIR/postgres`, for who has none; reached by a socket only.

Several processes may start it: the first launches it, the others find it. It is believed to run only
when it answers a connection, for everything else (a pid file, a socket) survives `kill -9`.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from hashlib import sha256
from pathlib import Path

import asyncpg

from parley.db.account import account_for
from parley.db.binaries import programs
from parley.db.cluster import Cluster
from parley.db.errors import EmbeddedError
from parley.db.postmaster import Postmaster
from parley.settings import SettingsError

ROLE, DATABASE = "parley", "messaging_service"

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_RETRY_SECONDS = 2.0
_CONNECT_SECONDS = 5.0
_EARLIER_SECONDS = 60.0  # a server that is going down writes out its memory first
_RECOVERY_SECONDS = 600.0
_STOP_SECONDS = 3.0

_ADDRESS_BYTES = 107  # what a socket's address may have
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # what needs no escape in a connection string, whoever parses it


class Server:
    """The embedded PostgreSQL of one data folder."""

    def __init__(
        self, data_dir: Path, bin_dir: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self._options = dict(options or {})
        self._data_dir = own_folder(data_dir)
        folder = self._data_dir / "postgres"
        account = account_for(folder)
        self._cluster = Cluster(folder, account, programs(account, bin_dir))
        self._postmaster = Postmaster(self._cluster)
        self._address = _address(folder)

    @property
    def url(self) -> str:
        """The address of the service's database, for its ordinary role."""
        return self._url(ROLE, DATABASE)

    @property
    def bin_dir(self) -> Path:
        """Where the programs of this PostgreSQL are."""
        return self._cluster.programs.folder

    @property
    def launched(self) -> bool:
        """Whether this process launched the server, rather than finding it."""
        return self._postmaster.launched

    @property
    def pid(self) -> int | None:
        """The postmaster's process number while it lives."""
        return self._postmaster.pid

    async def start(self) -> None:
        """Return once the server answers: found, or launched after what a crash left has been cleared away."""
        try:
            await self._start()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise EmbeddedError(f"PostgreSQL cannot be started: {error}") from error

    async def answers(self) -> bool:
        """Whether the server takes a connection, which nothing else proves."""
        try:
            connection = await asyncpg.connect(self._url("postgres", "postgres"), timeout=_CONNECT_SECONDS)
        except asyncpg.TooManyConnectionsError:
            return True
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def stop(self, patience: float = _STOP_SECONDS) -> None:
        """Stop the server, whoever launched it; what does not end in time is recovered at the next start."""
        await self._postmaster.stop(patience)

    def kill(self) -> None:
        """Stop the server at once."""
        self._postmaster.signal(signal.SIGQUIT)

    async def guard(self, say: Callable[[str], None]) -> None:
        """Start the server again whenever it dies, for ever."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self.pid is None:
                say("PostgreSQL ended unexpectedly; starting it again")
                try:
                    await self.start()
                    say("PostgreSQL runs again")
                except EmbeddedError as error:
                    say(str(error))
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _start(self) -> None:
        async with _starting(self._data_dir / "postgres.lock"):
            began = time.monotonic()
            while not await self.answers():
                if (held := self._cluster.hold()) is not None:
                    await self._launch(held)
                elif (waited := time.monotonic() - began) < _EARLIER_SECONDS:
                    self._postmaster.bury(waited)
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    raise EmbeddedError(
                        f"an earlier server of {self._cluster.folder} neither answers nor ends"
                    )
            await self._furnish()

    async def _launch(self, held: int) -> None:
        try:
            self._postmaster.launch(held, self._options)
        finally:
            os.close(held)  # the server has its own by now
        until = time.monotonic() + _RECOVERY_SECONDS
        while not await self.answers():
            self._postmaster.check()
            if time.monotonic() > until:
                raise EmbeddedError(f"PostgreSQL does not answer; see {self._cluster.log}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _furnish(self) -> None:
        """Make the service's database and its role, which may do what such a role may do elsewhere, and no more."""
        connection = await asyncpg.connect(self._url("postgres", "postgres"), timeout=_CONNECT_SECONDS)
        try:
            if not await connection.fetchval("select true from pg_roles where rolname = $1", ROLE):
                await connection.execute(f"create role {ROLE} login createdb in role pg_monitor")
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE} owner {ROLE}")
        finally:
            await connection.close()

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={self._address}&port=5432"


@contextlib.asynccontextmanager
async def running(
    data_dir: Path,
    *,
    bin_dir: Path | None = None,
    options: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """Lend the address of the running server; stop it at the end unless another process launched it."""
    server = Server(data_dir, bin_dir, options)
    try:
        await server.start()
        yield server.url
    finally:
        if server.launched:
            await server.stop()


def own_folder(data_dir: Path) -> Path:
    """Make the data folder, if it is not there, and find it writable."""
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.joinpath("postgres.lock").touch(mode=0o600)
    except OSError as error:
        raise SettingsError(
            f"DATA_DIR is {str(data_dir)!r}, but takes a folder to write in ({error})"
        ) from None
    return folder


@contextlib.asynccontextmanager
async def _starting(path: Path) -> AsyncIterator[None]:
    """Let one process at a time start the server."""
    with path.open("rb") as file:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(_POLL_SECONDS)
        yield


def _address(folder: Path) -> str:
    """Name the socket's folder: its own path, or where that is too long or too odd, a short link to it."""
    if len(os.fsencode(folder / ".s.PGSQL.5432")) <= _ADDRESS_BYTES and _PLAIN.fullmatch(str(folder)):
        return str(folder)
    link = Path(
        tempfile.gettempdir(), f"parley-{os.geteuid()}-{sha256(os.fsencode(folder)).hexdigest()[:12]}"
    )
    with contextlib.suppress(FileExistsError):
        link.symlink_to(folder)
    if link.lstat().st_uid != os.geteuid() or link.readlink() != folder:
        raise EmbeddedError(f"{link} is in the way: it should be our link to {folder}")
    return str(link)
