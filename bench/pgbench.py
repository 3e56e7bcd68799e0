"""`pgbench` with the service's own statement, one message a transaction: what the database does without us."""

import asyncio
import math
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import msgspec

from bench import traffic
from bench.wrk import BenchError
from parley.core.message import Draft
from parley.db.pool import SESSION
from parley.db.sql import statements

_STORE = statements("parley.messages", "messages.sql")["store"]
_SCRIPT = """\
\\set customer random(0, {last})
\\set number random(1, 1000000000000000)
{statement};
"""
_PARAMETER = (
    "format('[{draft}]', uuidv7(), {first} + :customer::bigint, 'pgbench-' || :number::text, to_json(now()))"
)


# Planning the statement takes each connection some milliseconds: that is their arrival, not their work.
_ARRIVAL_SECONDS = 0.015
_OPTIONS = " ".join(
    f"-c {name}={value}" for name, value in {**SESSION, "plan_cache_mode": "force_generic_plan"}.items()
)


class Pgbench(msgspec.Struct, frozen=True):
    """What a run came to, once all its connections were at work."""

    transactions: int
    rate: float
    p50_ms: float
    p99_ms: float


def script(draft: Draft, provider_message_id: str | None) -> str:
    """Write the statement with a parameter that differs each time: id, customer, the provider's id and time."""
    text = msgspec.json.encode(draft).decode().replace("%", "%%").replace("'", "''")
    text = text.replace(f'"{draft.id}"', '"%1$s"')
    text = text.replace(traffic.customer(0), "+%2$s")
    if provider_message_id is not None:
        text = text.replace(f'"{provider_message_id}"', '"%3$s"')
    text = re.sub(r'("occurred_at":)"[^"]*"', r"\1%4$s", text)
    # What follows a colon directly would be taken for a variable.
    text = text.replace('":', '": ')
    parameter = _PARAMETER.format(draft=text, first=traffic.FIRST)
    statement = re.sub(r"--.*", "", _STORE).replace("$1", parameter)
    return _SCRIPT.format(last=traffic.CONVERSATIONS - 1, statement=statement)


async def pgbench(bin_dir: Path, url: str, text: str, clients: int, seconds: int) -> Pgbench:
    """Run a script over that many connections for that long, not counting their arrival."""
    with TemporaryDirectory(prefix="parley-pgbench-") as name:
        folder = Path(name)
        folder.joinpath("script.sql").write_text(text)
        await _run(bin_dir, url, clients, seconds + math.ceil(clients * _ARRIVAL_SECONDS), folder)
        ended = sorted(_logged(folder))
    counted = [took for at, took in ended if at > ended[-1][0] - seconds]
    took = sorted(with_unasked(counted, seconds * 1_000_000 * clients // len(counted)))
    return Pgbench(
        len(ended), len(counted) / seconds, took[len(took) // 2] / 1e3, took[len(took) * 99 // 100] / 1e3
    )


def with_unasked(took: Sequence[int], interval: int) -> Iterator[int]:
    """Add what nobody asked while an answer was long in coming, by the rule by which `wrk` does.

    Whoever waits for one answer asks no other: without them, a pause that holds everybody up would count once.
    """
    yield from took
    for one in took:
        yield from range(one - interval, interval, -interval)


def _logged(folder: Path) -> Iterator[tuple[float, int]]:
    """When each transaction ended, and how many microseconds it took."""
    for log in folder.glob("took.*"):
        for line in log.read_text().splitlines():
            words = line.split()
            yield int(words[4]) + int(words[5]) / 1e6, int(words[2])


async def _run(bin_dir: Path, url: str, clients: int, seconds: int, folder: Path) -> None:
    parts = urlsplit(url)
    process = await asyncio.create_subprocess_exec(
        str(bin_dir / "pgbench"), "--no-vacuum", "--protocol=prepared", "--log", "--log-prefix=took",
        f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={seconds}", "--file=script.sql",
        f"--host={parse_qs(parts.query)['host'][0]}", f"--username={parts.username}", parts.path[1:],
        cwd=folder, env={**os.environ, "PGOPTIONS": _OPTIONS},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise BenchError(f"pgbench failed: {errors.decode(errors='replace').strip()[-500:]}")
