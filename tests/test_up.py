"""`parley up` as its user meets it: a terminal, a port, Ctrl-C, and worse ends than that."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from parley.db import leftovers
from tests.ports import free_ports
from tests.waiting import until

STOP_SECONDS = 5


class House:
    """One data folder and its ports, and the `parley up` that runs on them, if it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.simulator_port = free_ports()
        self.mark = uuid4().hex
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, **changes: str) -> "subprocess.Popen[bytes]":
        """Start `parley up`; what it says goes to a file."""
        environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": "data",
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "WEB_PROCESSES": "1",
            "MARK": self.mark,
        }
        with self.folder.joinpath("said").open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "parley", "up"],
                cwd=self.folder,
                env=environment | changes,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.folder.joinpath("said").read_text()

    async def open(self) -> None:
        self.folder.joinpath("said").write_text("")
        self.process = self.command()
        try:
            await until(lambda: self.get("/healthz") == 200 and "Ctrl-C stops it all" in self.said())
        except AssertionError:
            raise AssertionError(self.said()) from None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def get(self, path: str) -> int:
        """The status of a request, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def send(self, body: str) -> int:
        """Send a message; the number of its conversation."""
        message = {"from": "+12016661234", "to": "+18045551234", "type": "sms", "body": body}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/messages/sms",
            data=json.dumps(message).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(json.load(answer)["conversation_id"])

    def bodies(self) -> list[str]:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/api/conversations/1/messages", timeout=10
        ) as answer:
            return [item["body"] for item in json.load(answer)["items"]]

    def left(self) -> list[str]:
        """The command lines of all that still runs."""
        cluster = self.folder / "data" / "postgres"
        name = leftovers.mark(cluster) if cluster.exists() else "none"
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = f"MARK={self.mark}".encode() in entry.joinpath("environ").read_bytes()
                if is_ours or leftovers.belongs(int(entry.name), name):
                    found.append(entry.joinpath("cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    async def end(self, within: float = STOP_SECONDS) -> int:
        """Wait for its end; nothing of it may be left."""
        assert self.process is not None
        began = time.monotonic()
        code = await asyncio.to_thread(self.process.wait, 30)
        await until(lambda: self.left() == [])
        assert time.monotonic() - began < within
        return code


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house that is pulled down after the test, whatever state it is in."""
    made = House(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.terminate()
        try:
            made.process.wait(10)
        except subprocess.TimeoutExpired:
            made.process.kill()
            made.process.wait()


async def test_one_command_starts_everything_and_one_ctrl_c_stops_it(house: House) -> None:
    """The terminal says where to look; Ctrl-C leaves no process within five seconds, and the data for the next start."""
    await house.open()
    for line in (f"Inbox  http://localhost:{house.port}", f"{house.port}/docs", "curl http://localhost:"):
        assert line in house.said()
    house.send("before")
    house.signal(signal.SIGINT)
    assert await house.end() == 0
    assert "Traceback" not in house.said()

    await house.open()
    assert house.bodies() == ["before"]
    house.signal(signal.SIGTERM)
    assert await house.end() == 0


async def test_nothing_outlives_a_killed_parent_and_nothing_is_lost(house: House) -> None:
    """After `kill -9` of the command its children end by themselves, and the next start goes on from there."""
    await house.open()
    house.send("acknowledged")
    house.signal(signal.SIGKILL)
    # A worker with a message under way tries for so long to reach its database.
    await house.end(within=35)
    await house.open()
    assert house.bodies() == ["acknowledged"]


async def test_a_killed_database_comes_back_while_the_service_runs(house: House) -> None:
    """The web processes stay, answer 503 for a moment, and then serve what was committed."""
    await house.open()
    house.send("acknowledged")
    pid_file = house.folder / "data" / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)
    await until(lambda: "PostgreSQL runs again" in house.said())
    await until(lambda: house.get("/api/conversations") == 200)
    assert house.bodies() == ["acknowledged"]


async def test_the_second_ctrl_c_does_not_wait(house: House) -> None:
    """Who is in a hurry is obeyed; the database recovers at the next start."""
    await house.open()
    house.signal(signal.SIGINT)
    house.signal(signal.SIGTERM)
    assert await house.end(within=3) == 1


async def test_a_data_folder_serves_one(house: House) -> None:
    """A second start on the same folder is refused in one line and disturbs nobody."""
    await house.open()
    second = house.command(PORT=str(free_ports()[0]))
    assert await asyncio.to_thread(second.wait, 20) == 2
    assert house.process is not None
    expected = f"parley: DATA_DIR data is in use by another parley (process {house.process.pid})"
    assert expected in house.said()
    assert house.get("/healthz") == 200


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "http", "parley: PORT is 'http', but takes a whole number from 1 to 65535"),
        ("SMS_PROVIDERS", "pigeon", "parley: SMS_PROVIDERS names 'pigeon', but takes twilio, telnyx"),
        (
            "DATABASE_URL",
            "postgresql://u:hush@127.0.0.1:x/d",
            "parley: DATABASE_URL is a value that is not shown",
        ),
        (
            "DATABASE_URL",
            "postgresql://u:hush@127.0.0.1:1/d",
            "parley: the database of DATABASE_URL cannot be",
        ),
    ],
)
async def test_what_is_wrong_is_one_line(house: House, name: str, value: str, line: str) -> None:
    """No traceback, no secret, no process left; the exit code tells a wrong setting from a missing database."""
    refused = house.command(**{name: value})
    code = await asyncio.to_thread(refused.wait, 20)
    assert house.said().startswith(line)
    assert house.said().count("\n") == 1
    assert "hush" not in house.said()
    assert code == (1 if "cannot be" in line else 2)
    assert house.left() == []


async def test_a_taken_port_is_one_line(house: House) -> None:
    """Before anything is started."""
    with socket.create_server(("127.0.0.1", house.port)):
        refused = house.command()
        assert await asyncio.to_thread(refused.wait, 20) == 2
    assert house.said() == f"parley: PORT {house.port} is taken; choose another with PORT=…\n"
