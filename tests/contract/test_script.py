"""`bin/test.sh` against the started service."""

import asyncio
import os

from tests.contract.service import ROOT, Service


async def test_the_script_passes_against_the_started_service(service: Service) -> None:
    """One request a route, each with the expected code."""
    script = await asyncio.create_subprocess_exec(
        str(ROOT / "bin" / "test.sh"),
        env={"PATH": os.environ["PATH"], "BASE_URL": service.url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await script.communicate()
    assert script.returncode == 0, said.decode()
