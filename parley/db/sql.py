"""Named statements from the `.sql` files that stand beside the code which runs them."""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def statements(package: str, file: str) -> dict[str, str]:
    """Read a file into its statements; each begins with a line `-- name: what_it_is_called`."""
    _, *parts = _NAME.split(files(package).joinpath(file).read_text(encoding="utf-8"))
    return dict(zip(parts[::2], (text.strip().rstrip(";") for text in parts[1::2]), strict=True))
