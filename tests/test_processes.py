"""Child processes: kept running, stopped in order, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from parley.processes import Children, Program
from tests.waiting import until

# Says in a shared journal that it began and that it ended; `stubborn` does not listen to SIGTERM.
CHILD = """
import os, signal, sys, time
name, journal, *manner = sys.argv[1:]
def say(what):
    with open(journal, "a") as file:
        file.write(f"{name} {what} {os.getpid()}\\n")
def leave(*_):
    if "slow" in manner:
        time.sleep(0.3)
    say("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in manner else leave)
say("began")
if "brief" in manner:
    sys.exit(3)
while True:
    signal.pause()
"""


class Journal:
    """What the children said, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def program(self, name: str, *manner: str, patience: float = 5.0) -> Program:
        command = (sys.executable, "-c", CHILD, name, str(self.path), *manner)
        return Program(name=name, command=command, environment=os.environ, patience=patience)

    def lines(self) -> list[str]:
        return [line.rsplit(" ", 1)[0] for line in self.path.read_text().splitlines()]

    def pid(self, name: str) -> int:
        return next(
            int(line.split()[2]) for line in self.path.read_text().splitlines() if line.startswith(f"{name} ")
        )

    async def has(self, *lines: str) -> None:
        await until(lambda: all(self.lines().count(line) >= lines.count(line) for line in lines))


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second where it ends while we read
        return False


async def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    """A crash costs a moment and is told."""
    journal = Journal(tmp_path / "journal")
    said: list[str] = []
    async with Children(said.append) as children:
        children.start(journal.program("web"))
        await journal.has("web began")
        os.kill(journal.pid("web"), signal.SIGKILL)
        await journal.has("web began", "web began")
    assert said == ["web ended (SIGKILL); starting it again in 0.2 s"]


async def test_a_child_that_cannot_live_is_tried_ever_more_rarely(tmp_path: Path) -> None:
    """A child that fails at once is not started in a tight loop."""
    journal = Journal(tmp_path / "journal")
    said: list[str] = []
    async with Children(said.append) as children:
        children.start(journal.program("web", "brief"))
        await journal.has(*["web began"] * 3)
    assert said[:2] == [f"web ended (exit code 3); starting it again in {delay} s" for delay in (0.2, 0.4)]


async def test_a_child_that_cannot_be_started_is_tried_again() -> None:
    """A machine that is out of something for a moment costs that moment only."""
    said: list[str] = []
    async with Children(said.append) as children:
        children.start(Program(name="web", command=["/no/such/program"], environment={}))
        await until(lambda: len(said) > 1)
    assert (
        said[0]
        == "web ended ([Errno 2] No such file or directory: '/no/such/program'); starting it again in 0.2 s"
    )


async def test_groups_stop_in_the_opposite_order_of_their_start(tmp_path: Path) -> None:
    """Who takes work in stops before who does it: the next group hears of it only when the last has ended."""
    journal = Journal(tmp_path / "journal")
    async with Children(print) as children:
        children.start(journal.program("simulators"))
        children.start(journal.program("worker", "slow"))
        children.start(journal.program("web 1", "slow"), journal.program("web 2", "slow"))
        await journal.has("simulators began", "worker began", "web 1 began", "web 2 began")
    assert sorted(journal.lines()[4:6]) == ["web 1 ended", "web 2 ended"]
    assert journal.lines()[6:] == ["worker ended", "simulators ended"]


async def test_patience_with_a_child_ends(tmp_path: Path) -> None:
    """A child that does not stop when asked is killed."""
    journal = Journal(tmp_path / "journal")
    async with Children(print) as children:
        children.start(journal.program("web", "stubborn", patience=0.2))
        await journal.has("web began")
    assert not lives(journal.pid("web"))
    assert journal.lines() == ["web began"]


async def test_a_child_that_waits_for_its_restart_is_not_started_after_the_stop(tmp_path: Path) -> None:
    """Stopping ends the keeping too."""
    journal = Journal(tmp_path / "journal")
    said: list[str] = []
    async with Children(said.append) as children:
        children.start(journal.program("web", "brief"))
        await until(lambda: bool(said))
    began = len(journal.lines())
    await asyncio.sleep(0.5)  # longer than the delay that was announced
    assert len(journal.lines()) == began


async def test_the_terminal_does_not_reach_the_children(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group of the terminal; only the parent is in it, and stops the others in order."""
    journal = Journal(tmp_path / "journal")
    async with Children(print) as children:
        children.start(journal.program("web"))
        await journal.has("web began")
        pid = journal.pid("web")
        assert os.getpgid(pid) == os.getsid(pid) == pid


async def test_all_can_be_ended_at_once(tmp_path: Path) -> None:
    """The second Ctrl-C asks nobody."""
    journal = Journal(tmp_path / "journal")
    async with Children(print) as children:
        children.start(journal.program("worker", "stubborn"))
        children.start(journal.program("web", "stubborn"))
        await journal.has("worker began", "web began")
        children.kill()
        await until(lambda: not lives(journal.pid("worker")) and not lives(journal.pid("web")))


async def test_no_child_outlives_its_parent(tmp_path: Path) -> None:
    """`kill -9` of the parent ends its children too."""
    journal = Journal(tmp_path / "journal")
    parent = (
        "import asyncio, os, sys\n"
        "from parley.processes import Children, Program\n"
        "async def main():\n"
        "    async with Children(print) as children:\n"
        "        children.start(Program(name='web', command=sys.argv[1:], environment=os.environ))\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    started = subprocess.Popen([sys.executable, "-c", parent, *journal.program("web").command])
    await journal.has("web began")
    started.kill()
    started.wait()
    await journal.has("web ended")
    await until(lambda: not lives(journal.pid("web")))
