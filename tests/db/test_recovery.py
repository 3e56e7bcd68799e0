"""The embedded PostgreSQL after `kill -9`: never taken for alive when it is dead, and back with all that was committed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from parley.db import leftovers
from tests.db.servers import Start, alive, ask, processes
from tests.waiting import until

pytestmark = pytest.mark.database


async def test_it_recovers_from_a_killed_postmaster(start: Start, tmp_path: Path) -> None:
    """After `kill -9` of the postmaster the next start serves what was committed."""
    server = await start(tmp_path)
    await ask(server, "create table kept as select 1")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    again = await start(tmp_path)
    assert again.launched
    assert await ask(again, "select to_regclass('kept')::text") == "kept"


async def test_it_recovers_from_a_massacre(start: Start, tmp_path: Path) -> None:
    """After `kill -9` of every one of its processes the next start serves what was committed."""
    server = await start(tmp_path)
    await ask(server, "create table kept as select 1")
    victims = processes(tmp_path)
    assert len(victims) > 4
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    again = await start(tmp_path)
    assert again.launched
    assert await ask(again, "select to_regclass('kept')::text") == "kept"


async def test_a_leftover_that_works_on_is_ended_before_the_next_start(start: Start, tmp_path: Path) -> None:
    """A backend that outlives its postmaster still writes to the same files: two servers would ruin them."""
    server = await start(tmp_path)
    connection = await asyncpg.connect(server.url)
    backend = connection.get_server_pid()
    busy = asyncio.create_task(connection.fetchval("select count(*) from generate_series(1, 1e12)"))
    asked = f"select state = 'active' from pg_stat_activity where pid = {backend}"
    while not await ask(server, asked):
        await asyncio.sleep(0.01)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: server.pid is None)
    assert alive(tmp_path, backend)
    again = await start(tmp_path)
    assert not alive(tmp_path, backend)
    assert await ask(again, "select 1") == 1
    with pytest.raises(asyncpg.PostgresError):
        await busy
    connection.terminate()


async def test_a_pid_file_with_a_reused_number_is_not_believed(start: Start, tmp_path: Path) -> None:
    """In a restarted container the dead postmaster's number soon belongs to somebody else."""
    server = await start(tmp_path)
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    text = pid_file.read_text().split("\n")
    await server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *text[1:]]))
    (tmp_path / "postgres" / ".s.PGSQL.5432.lock").write_text(pid_file.read_text())
    again = await start(tmp_path)
    assert again.launched
    assert await ask(again, "select 1") == 1


async def test_an_interrupted_creation_is_begun_again(start: Start, tmp_path: Path) -> None:
    """Half a cluster is never taken for a whole one."""
    half = tmp_path / "postgres.new"
    (half / "base").mkdir(parents=True)
    half.joinpath("PG_VERSION").write_text("18\n")
    server = await start(tmp_path)
    assert await ask(server, "select 1") == 1
    assert not half.exists()


async def test_the_guard_starts_a_dead_server_again(start: Start, tmp_path: Path) -> None:
    """While it is guarded, a server that dies comes back by itself, at the same address."""
    server = await start(tmp_path)
    said: list[str] = []
    guard = asyncio.create_task(server.guard(said.append))
    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    await until(lambda: "PostgreSQL runs again" in said)
    assert server.pid not in (None, before)
    assert await ask(server, "select 1") == 1
    guard.cancel()


async def test_it_does_not_outlive_the_process_that_launched_it(tmp_path: Path) -> None:
    """`kill -9` of the launching process shuts the server down, so that nothing is left running."""
    script = (
        "import asyncio, pathlib, sys, time\n"
        "from parley.db.embedded import Server\n"
        "server = Server(pathlib.Path(sys.argv[1]), options={'fsync': 'off'})\n"
        "asyncio.run(server.start())\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    pid = int(await asyncio.to_thread(launcher.stdout.readline))
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    name = leftovers.mark(tmp_path / "postgres")
    await until(lambda: not leftovers.belongs(pid, name))
