"""A fuzzer that knows the OpenAPI document: whatever fits it, and what nearly does, is answered as documented."""

import asyncio
import sys
from pathlib import Path

from tests.contract.service import Service


async def test_every_answer_is_documented(service: Service, tmp_path: Path) -> None:
    """No failure of ours, no undocumented status, media type or shape, on any route."""
    fuzzer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json",
        "--checks", "all", "--exclude-checks", "positive_data_acceptance",  # our rules say more than a schema can
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "20", "--seed", "1",
        "--workers", "2", "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, said.decode()
