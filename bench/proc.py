"""What processes take, as Linux counts it: processor time and memory, of a process and all its descendants."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Positions in /proc/…/stat behind the name: parent; user and system time; those of children that have ended.
_PARENT, _TIMES = 1, slice(11, 15)


def family(*roots: int) -> set[int]:
    """These processes and all that descend from them."""
    parents = {pid: int(words[_PARENT]) for pid, words in _all()}
    found, generation = set(roots), set(roots)
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation} - found
        found |= generation
    return found


def busy_seconds(pids: Iterable[int]) -> float:
    """Processor time of these processes, with that of their children that have ended."""
    stats = (_stat(pid) for pid in pids)
    return sum(sum(map(int, words[_TIMES])) for words in stats if words) / _TICKS


def memory_bytes(pid: int) -> int:
    """Memory in proportion: a page that several processes share counts a part for each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, or is not ours to look at
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def command(pid: int) -> str:
    """The command line, or what the process calls itself; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def _all() -> Iterable[tuple[int, list[str]]]:
    for entry in Path("/proc").glob("[0-9]*"):
        if words := _stat(int(entry.name)):
            yield int(entry.name), words


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
