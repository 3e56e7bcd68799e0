"""`make chaos`: the storm in its full size, with its seed, and what it lost and doubled."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.storm import storm


def main() -> int:
    """Run the storm once; the exit code says whether anything was lost or doubled."""
    asked = argparse.ArgumentParser(prog="make chaos")
    asked.add_argument("--messages", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parley-chaos-", ignore_cleanup_errors=True) as folder:
        result = asyncio.run(storm(Path(folder), options.messages, options.seed, print))
    print(f"took       {time.monotonic() - began:.0f} s")
    print(f"statuses   {result.statuses}")
    print(f"faults     {result.faults}")
    print(f"lost       {len(result.lost)}")
    print(f"doubled    {len(result.doubled)}")
    print(f"undecidable and sent again (UNKNOWN_POLICY=at-least-once)  {len(result.undecidable)}")
    print(f"unexplained {len(result.unexplained)}")
    return 1 if result.lost or result.doubled or result.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
