"""The processes of one PostgreSQL cluster, told by the name that each of them shows in its command line."""

import contextlib
import hashlib
import os
import signal
from pathlib import Path

_PROC = Path("/proc")


def mark(cluster: Path) -> str:
    """Name a cluster so that no other on this machine has the same name, wherever it is moved."""
    entry = cluster.stat()
    return "parley-" + hashlib.sha256(f"{entry.st_dev}:{entry.st_ino}".encode()).hexdigest()[:10]


def belongs(pid: int, name: str) -> bool:
    """Whether a process number is still that of a server process of the cluster with this name."""
    if not _PROC.joinpath("self").exists():
        return _lives(pid)
    try:
        program, *arguments = (
            _PROC.joinpath(str(pid), "cmdline").read_bytes().decode(errors="replace").split("\0")
        )
    except OSError:
        return False
    # A child of the server rewrites its command line: `postgres: parley-0123456789: checkpointer`.
    is_child = program.startswith(f"postgres: {name}: ")
    return is_child or (program.endswith("postgres") and f"cluster_name={name}" in arguments)


def terminate(name: str, number: signal.Signals) -> None:
    """Signal whatever is left of a cluster whose postmaster is dead; the log makes good what they leave undone."""
    for entry in _PROC.glob("[0-9]*"):
        if belongs(int(entry.name), name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), number)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
