"""Runs `wrk`, and tells what it took itself, so that nobody need wonder whether it was the bottleneck."""

import asyncio
import os
import resource
import shutil
from pathlib import Path

import msgspec

SCRIPTS = Path(__file__).with_name("scripts")


class BenchError(Exception):
    """Something without which there is nothing to measure; the text is what the person at the terminal sees."""


class Wrk(msgspec.Struct, frozen=True):
    """One run: what it asked, how it was answered, how many cores it kept busy."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int
    cores: float = 0.0

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


async def wrk(url: str, script: str, *arguments: str, connections: int, seconds: int) -> Wrk:
    """Load an address over that many connections for that long; any answer but a good one is an error."""
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is missing; on Debian and Ubuntu: apt-get install wrk")
    before = _children_seconds()
    process = await asyncio.create_subprocess_exec(
        program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "-s", str(SCRIPTS / f"{script}.lua"),
        url, "--", *arguments,
        env={**os.environ, "LUA_PATH": f"{SCRIPTS}/?.lua"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise BenchError(f"wrk failed: {output.decode(errors='replace').strip()[-500:]}")
    run = msgspec.json.decode(output.splitlines()[-1], type=Wrk)
    if run.refused or run.broken or not run.requests:
        raise BenchError(
            f"{url} answered {run.refused} of {run.requests} requests badly, {run.broken} not at all"
        )
    return msgspec.structs.replace(run, cores=(_children_seconds() - before) / run.seconds)


def _children_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
