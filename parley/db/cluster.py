"""One folder with a PostgreSQL cluster: who may work on it, how it is made, what a crash leaves in it.

The folder is held open and locked (`flock`) by the postmaster and by every process it forks, since all inherit
the descriptor. So the lock tells, without guessing by process numbers, whether anything of an earlier server
is left; and under root the descriptor is the way in for an account that may not enter the folders above.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parley.db.account import Account
from parley.db.binaries import Programs
from parley.db.errors import EmbeddedError

# What an earlier server leaves when it is killed; its process number may be somebody else's by now.
_STALE = ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock")


class Cluster:
    """The folder, the account that owns it and the programs that work on it."""

    def __init__(self, folder: Path, account: Account, programs: Programs) -> None:
        self.folder = folder
        self.account = account
        self.programs = programs

    @property
    def log(self) -> Path:
        """Where the server writes until its own log files are open."""
        return self.folder.with_name("postgres.log")

    def hold(self) -> int | None:
        """Open and lock the folder; None while any process of an earlier server is alive."""
        descriptor = os.open(self._make_room(), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def prepare(self, held: int, options: Mapping[str, str]) -> None:
        """Leave a cluster that can be started: made if it is new, cleaned if its server was killed."""
        if not self._exists():
            self._create(held, options)
        made_by = int(self.folder.joinpath("PG_VERSION").read_text())
        if made_by != self.programs.major:
            raise EmbeddedError(
                f"{self.folder} was made by PostgreSQL {made_by}, but this is {self.programs.major}: "
                "choose another DATA_DIR, or dump it there and load it here"
            )
        for name in _STALE:
            self.folder.joinpath(name).unlink(missing_ok=True)

    def command(self, held: int, program: str) -> list[str]:
        """Begin a command line of one of the programs for this folder."""
        path = str(self.folder if self._exists() else self._new)
        return [
            str(self.programs.folder / program),
            "-D",
            path if self.account.ours else f"/proc/self/fd/{held}",
        ]

    def surroundings(self, held: int) -> dict[str, Any]:
        """Give `subprocess` what a program needs: its account, the held folder, and nothing of our environment."""
        return {
            "cwd": "/",
            "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
            "pass_fds": (held,),
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
            **self.account.popen(),
        }

    @property
    def _new(self) -> Path:
        return self.folder.with_name("postgres.new")

    def _exists(self) -> bool:
        return self.folder.joinpath("PG_VERSION").exists()

    def _make_room(self) -> Path:
        """Name the folder to work on; a new cluster takes its real name only when it is complete."""
        if self._exists():
            folder = self.folder
        else:
            folder = self._new
            folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != self.account.uid:
            self.account.own(folder)
        return folder

    def _create(self, held: int, options: Mapping[str, str]) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            raise EmbeddedError(f"{self.folder} holds something that is no database; choose another DATA_DIR")
        for path in self._new.iterdir():  # what an initdb that was killed had come to
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        # Text sorts by code point, as Python sorts it, and letters of all scripts have their two cases.
        builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        locale = builtin if self.programs.major >= 17 else ["--locale=C.UTF-8"]
        haste = ["--no-sync"] if options.get("fsync") == "off" else []
        command = [
            *self.command(held, "initdb"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            *locale,
            *haste,
        ]
        made = subprocess.run(command, check=False, capture_output=True, text=True, **self.surroundings(held))
        if made.returncode != 0:
            raise EmbeddedError(f"no database can be made in {self.folder}: {_reason(made.stderr)}")
        self._new.rename(self.folder)


def _reason(text: str) -> str:
    """Pick the line that names what went wrong; around it are notices of what was begun and undone."""
    lines = text.strip().splitlines()
    reasons = [line for line in lines if "FATAL: " in line or "error: " in line] or lines[-1:]
    return reasons[0] if reasons else "no reason given"
