"""`parley check` tells what is amiss, and only that."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from parley.check import Finding, check
from parley.settings import load
from parley.simulated import simulation
from parley.simulators.run import serve


@pytest.fixture
async def simulators(free_port: int) -> AsyncIterator[int]:
    """Simulated vendors on a port of their own."""
    playing = asyncio.create_task(serve(free_port, simulation(load({}))))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", free_port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        break
    yield free_port
    playing.cancel()
    await asyncio.wait([playing])


async def rows(folder: Path, **environ: str) -> dict[str, Finding]:
    read = load({"PORT": "1", "SIMULATOR_PORT": "1", "DATA_DIR": str(folder / "data"), **environ}, folder)
    return {finding.what: finding for finding in await check(read)}


async def test_what_is_well_is_said_to_be(database_url: str, simulators: int, tmp_path: Path) -> None:
    """A database that is current and providers that answer."""
    found = await rows(tmp_path, DATABASE_URL=database_url, SIMULATOR_PORT=str(simulators))
    assert {what for what, finding in found.items() if finding.fine} == {
        "database", "schema", "providers", "twilio", "sendgrid",
    }  # fmt: skip
    assert found["database"].says.startswith("PostgreSQL ")
    assert found["schema"].says == "current"
    assert found["providers"].says == "simulated"
    assert found["service"].says == "does not answer; `parley up` starts it"


async def test_a_missing_migration_is_named(database_url: str, tmp_path: Path) -> None:
    """An older schema is not current."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("delete from schema_migrations where name = '0001_initial'")
    await connection.close()
    found = await rows(tmp_path, DATABASE_URL=database_url)
    assert found["schema"].says == "lacks 0001_initial; `parley migrate` adds them"
    assert not found["schema"].fine


async def test_nothing_is_started(tmp_path: Path) -> None:
    """Looking makes no database and no folder."""
    found = await rows(tmp_path)
    assert found["database"].says == "does not run; `parley up` starts it"
    assert not (tmp_path / "data").exists()


async def test_a_missing_credential_is_named(tmp_path: Path) -> None:
    """What a start would refuse, the check shows."""
    found = await rows(
        tmp_path,
        SIMULATORS="off",
        TWILIO_BASE_URL="http://127.0.0.1:1",
        SENDGRID_BASE_URL="http://127.0.0.1:1",
    )
    assert (
        found["providers"].says
        == "TWILIO_ACCOUNT_SID is empty, but takes a value as SMS_PROVIDERS names twilio"
    )
    assert found["twilio"].says == "cannot be reached"
