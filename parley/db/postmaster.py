"""One PostgreSQL server process: launched, found again, told to stop."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping

from parley.db import leftovers
from parley.db.cluster import Cluster
from parley.db.errors import EmbeddedError
from parley.db.tuning import switches
from parley.tether import tether

_POLL_SECONDS = 0.02
_AT_ONCE_SECONDS = 1.0


class Postmaster:
    """The server of one cluster, whether this process launched it or another did."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def launched(self) -> bool:
        """Whether this process launched the server."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The number of the living postmaster."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        try:
            number = int(self._cluster.folder.joinpath("postmaster.pid").read_text().split("\n")[0])
            return number if leftovers.belongs(number, leftovers.mark(self._cluster.folder)) else None
        except (OSError, ValueError):
            return None

    def launch(self, held: int, options: Mapping[str, str]) -> None:
        """Start the server in a folder that nobody else works on; when this process dies, it shuts down."""
        cluster = self._cluster
        cluster.prepare(held, options)
        with cluster.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*cluster.command(held, "postgres"), *switches(leftovers.mark(cluster.folder), options)],
                stdout=log,
                stderr=log,
                preexec_fn=tether(signal.SIGINT),  # noqa: PLW1509 - it makes two system calls and takes no lock
                **cluster.surroundings(held),
            )

    def check(self) -> None:
        """Raise, in the server's own words, if it has ended after its launch."""
        if self._process is not None and self._process.poll() is not None:
            log = self._cluster.log
            reasons = [line for line in log.read_text(errors="replace").splitlines() if "FATAL: " in line]
            reason = (
                reasons[-1].split("FATAL: ")[1].strip()
                if reasons
                else f"see {log} and {self._cluster.folder}/log"
            )
            raise EmbeddedError(f"PostgreSQL does not start: {reason}")

    def signal(self, number: signal.Signals) -> None:
        """Send the postmaster a signal, if it lives."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def stop(self, patience: float) -> None:
        """Stop politely; then at once, which costs a recovery at the next start; then by force."""
        steps = (
            (signal.SIGINT, patience),
            (signal.SIGQUIT, _AT_ONCE_SECONDS),
            (signal.SIGKILL, _AT_ONCE_SECONDS),
        )
        for number, seconds in steps:
            self.signal(number)
            until = time.monotonic() + seconds
            while self.pid is not None and time.monotonic() < until:  # noqa: ASYNC110 - a dying process rings no bell
                await asyncio.sleep(_POLL_SECONDS)

    def bury(self, waited: float) -> None:
        """End what is left of a server whose postmaster is dead, and which does not end by itself."""
        folder = self._cluster.folder
        if waited > _AT_ONCE_SECONDS and folder.exists() and self.pid is None:
            number = signal.SIGQUIT if waited < 2 * _AT_ONCE_SECONDS else signal.SIGKILL
            leftovers.terminate(leftovers.mark(folder), number)
