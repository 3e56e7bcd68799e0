"""As whom PostgreSQL runs: as ourselves, unless we are root, which it refuses."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from parley.db.errors import EmbeddedError

NAME = "parley"
HOME = Path("/var/lib/parley")


class Account(msgspec.Struct, frozen=True):
    """The user and group of PostgreSQL's processes and files."""

    uid: int
    gid: int

    @property
    def ours(self) -> bool:
        """Whether it is ourselves, so that nothing has to be switched."""
        return self.uid == os.geteuid()

    def popen(self) -> dict[str, Any]:
        """Say it in `subprocess`'s words."""
        return {} if self.ours else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to this account."""
        if self.ours:
            return
        os.chown(folder, self.uid, self.gid)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)


def account_for(cluster: Path) -> Account:
    """Choose the account: an existing cluster keeps its owner, a new one under root gets a system user."""
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedError(
                f"{cluster} belongs to user {_name(owner.st_uid)}; start as that user or as root"
            )
        return Account(os.geteuid(), os.getegid())
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    return _system_user()


def _system_user() -> Account:
    """Find the system user, or make it, once."""
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _create()
        entry = pwd.getpwnam(NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def _create() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(HOME)]
    try:
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", NAME], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and `useradd {NAME}` failed: "
            f"create a user named {NAME}, start as an ordinary user, or set DATABASE_URL"
        ) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
