"""The embedded PostgreSQL: it starts in any folder, is found by all, and keeps what it promises."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from parley.db.embedded import Server, running
from parley.db.errors import EmbeddedError
from parley.settings import SettingsError
from tests.db.servers import BINARIES, QUICK, Start, ask

pytestmark = pytest.mark.database


async def test_it_promises_what_it_acknowledges(tmp_path: Path) -> None:
    """A commit is on disk before it is acknowledged, and nobody reaches the server over the network."""
    async with running(tmp_path, bin_dir=BINARIES) as url:
        connection = await asyncpg.connect(url)
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval("select current_setting($1)", name) == "on"
        assert await connection.fetchval("show listen_addresses") == ""
        assert await connection.fetchval("select current_database()") == "messaging_service"
        assert not await connection.fetchval("select rolsuper from pg_roles where rolname = current_user")
        await connection.close()


async def test_data_stays_for_the_next_start(tmp_path: Path) -> None:
    """What was stored is there after a stop and a start, and a stopped server answers nobody."""
    async with running(tmp_path, bin_dir=BINARIES, options=QUICK) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("create table kept as select 42 as answer")
        await connection.close()
    with pytest.raises(OSError, match=r"No such file|refused"):
        await asyncpg.connect(url)
    async with running(tmp_path, bin_dir=BINARIES, options=QUICK) as url:
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select answer from kept") == 42
        await connection.close()


async def test_letters_of_all_scripts_have_their_case_and_sort_by_code_point(
    start: Start, tmp_path: Path
) -> None:
    """Text in SQL folds and sorts as in Python."""
    server = await start(tmp_path)
    assert await ask(server, "select upper('straße')") in ("STRASSE", "STRAßE")
    assert await ask(server, "select lower('ÄÖÉЖ')") == "äöéж"
    words = ["a", "B", "ä", "Z", "+1", "é"]
    listed = ", ".join(f"('{word}')" for word in words)
    assert await ask(server, f"select array_agg(w order by w) from (values {listed}) v (w)") == sorted(words)


async def test_a_running_server_is_adopted_and_left_running(start: Start, tmp_path: Path) -> None:
    """A second process finds the server of the first, and does not stop it when it leaves."""
    first = await start(tmp_path)
    async with running(tmp_path, bin_dir=BINARIES, options=QUICK) as url:
        assert url == first.url
    second = Server(tmp_path, BINARIES, QUICK)
    await second.start()
    assert not second.launched
    assert second.pid == first.pid
    assert await ask(first, "select 1") == 1


async def test_many_processes_may_start_it_at_once(tmp_path: Path) -> None:
    """Of several that start together one launches the server, and all get it."""
    servers = [Server(tmp_path, BINARIES, QUICK) for _ in range(4)]
    await asyncio.gather(*(server.start() for server in servers))
    try:
        assert [server.launched for server in servers].count(True) == 1
        assert len({server.pid for server in servers}) == 1
    finally:
        for server in servers:
            await server.stop()


async def test_two_data_folders_are_two_servers(start: Start, tmp_path: Path) -> None:
    """Servers of different folders run side by side and know nothing of each other."""
    one, two = await start(tmp_path / "one"), await start(tmp_path / "two")
    await ask(one, "create table only_here ()")
    assert await ask(one, "select to_regclass('only_here')::text") == "only_here"
    assert await ask(two, "select to_regclass('only_here')::text") is None
    assert one.pid != two.pid


@pytest.mark.parametrize("name", ["deep/" * 30, "with space, comma & 50% ümlaut"])
async def test_any_folder_will_do(start: Start, tmp_path: Path, name: str) -> None:
    """A path too long for a socket, or with characters that connection strings trip over, works like any other."""
    server = await start(tmp_path / name)
    assert await ask(server, "select 1") == 1
    assert (tmp_path / name / "postgres" / "PG_VERSION").exists()
    Path(server.url.split("host=")[1].split("&")[0]).unlink()


async def test_what_cannot_work_is_one_clear_line(tmp_path: Path) -> None:
    """Folders that cannot serve are named, with what to do about it."""
    foreign = tmp_path / "foreign" / "postgres"
    foreign.mkdir(parents=True)
    foreign.joinpath("letter.txt").touch()
    with pytest.raises(EmbeddedError, match="holds something that is no database"):
        await Server(tmp_path / "foreign").start()

    tmp_path.joinpath("file").touch()
    with pytest.raises(SettingsError, match="takes a folder to write in"):
        Server(tmp_path / "file")

    old = tmp_path / "old" / "postgres"
    old.mkdir(parents=True)
    old.joinpath("PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 9"):
        await Server(tmp_path / "old").start()


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The server's own reason reaches the operator."""
    with pytest.raises(EmbeddedError, match='unrecognized configuration parameter "no_such_setting"'):
        await Server(tmp_path, BINARIES, {**QUICK, "no_such_setting": "1"}).start()
