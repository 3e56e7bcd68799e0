"""The disk runs full under load: refusals while it is, and the service goes on when there is room again."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from parley.db.embedded import Server
from tests.contract.client import Api
from tests.contract.invariants import invariants_hold
from tests.contract.load import under_load
from tests.contract.service import Service, running, until

MEGABYTES = 160


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk of its own."""
    with tempfile.TemporaryDirectory(prefix="parley-disk-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "tmpfs", folder],
            check=False,
            capture_output=True,
        )
        if mounted.returncode != 0:
            pytest.skip("only root can mount a disk that is small enough to fill")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_is_a_503_until_there_is_room(
    disk: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """No 202 without a row, no crash of ours, recovery without a restart of the service."""
    async with running(Service(tmp_path, DATA_DIR=str(disk / "data"))) as service:
        api = Api(http, service.url)
        async with under_load(api) as load:
            await until(lambda: len(load.accepted()) > 100)
            _fill(disk)
            await until(lambda: 503 in load.statuses(), 120)
            refused = len(load.sent)
            await until(lambda: len(load.sent) > refused + 50)
            assert (await api.get("/healthz")).status == 200
            disk.joinpath("filler").unlink()
            await service.ready()
            enough = len(load.accepted()) + 100
            await until(lambda: len(load.accepted()) > enough)
        assert load.statuses() == {202, 503}
        assert "ended" not in re.sub("PostgreSQL ended", "", service.said())
        await load.again()
        database = await asyncpg.connect(Server(disk / "data").url)
        rows = await database.fetch("select id::text, body from messages")
        assert sorted(row["id"] for row in rows) == sorted(load.accepted())
        assert sorted(row["body"] for row in rows) == sorted(sent.key for sent in load.sent)
        await invariants_hold(database)
        await database.close()


def _fill(disk: Path) -> None:
    """Leave not one free block."""
    with disk.joinpath("filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            os.write(filler.fileno(), bytes(4096))
