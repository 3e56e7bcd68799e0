"""Everything that one run found out."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.delivery import Round
from bench.figures import Burst, Bursts
from bench.footprint import Footprint
from bench.indexing import Pair
from bench.live import Delay
from bench.plan import Plan
from bench.reads import Read

_PACKAGES = (
    "uvicorn", "uvloop", "httptools", "starlette", "msgspec", "asyncpg", "aiohttp",
    "fastapi", "pydantic", "sqlalchemy", "procrastinate", "pgqueuer",
)  # fmt: skip


class Machine(msgspec.Struct, frozen=True):
    """Where it ran, and on what."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    postgresql: str
    wrk: str
    packages: dict[str, str]

    @classmethod
    def here(cls, postgresql: str) -> "Machine":
        """Describe this one."""
        cpuinfo = Path("/proc/cpuinfo").read_text()
        names = [
            line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")
        ]
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        said = subprocess.run(["wrk", "--version"], check=False, capture_output=True, text=True)
        return cls(
            processor=names[0] if names else platform.machine(),
            cores=len(os.sched_getaffinity(0)),
            memory_gb=pages / 2**30,
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            postgresql=postgresql,
            wrk=said.stdout.split("[")[0].removeprefix("wrk").strip(),
            packages={name: version(name) for name in _PACKAGES},
        )


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    machine: Machine
    plan: Plan
    at: datetime
    minutes: float
    accept: list[Burst]
    indexing: list[Pair]
    delivery: list[Round]
    reads: list[Read]
    live: list[Delay]
    footprint: Footprint

    @property
    def bursts(self) -> Bursts:
        return Bursts(self.accept)


def now() -> datetime:
    """The moment, to the minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
