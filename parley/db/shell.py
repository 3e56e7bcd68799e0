"""`make db-shell`: psql in the database that the service uses."""

import asyncio
import subprocess
import sys

from parley.db.embedded import Server
from parley.settings import load


def main() -> int:
    """Open psql; start the embedded database for that long if it does not run."""
    settings = load()
    if settings.database_url:
        return subprocess.run(["psql", settings.database_url], check=False).returncode  # noqa: S607 - the user's own
    server = Server(settings.data_dir)
    asyncio.run(server.start())
    try:
        return subprocess.run([str(server.bin_dir / "psql"), server.url], check=False).returncode
    finally:
        if server.launched:
            asyncio.run(server.stop())


if __name__ == "__main__":
    sys.exit(main())
