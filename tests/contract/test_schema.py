"""A fuzzer that knows the OpenAPI document: whatever fits it, and what nearly does, is answered as documented."""

import asyncio
import sys
from pathlib import Path

from tests.contract.service import Service, running


async def test_every_answer_is_documented(tmp_path: Path) -> None:
    """No failure of ours, no undocumented status, media type or shape, on any route.

    It turns the simulators' knobs too, so it has a service of its own.
    """
    async with running(Service(tmp_path)) as service:
        fuzzer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json",
            # What fits a schema may still break a rule, and an empty parameter counts as none.
            "--checks", "all", "--exclude-checks", "positive_data_acceptance,negative_data_rejection",
            "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "12", "--seed", "1", "--workers", "2",
            "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await fuzzer.communicate()
        assert fuzzer.returncode == 0, said.decode()
        assert service.lines(event="crash") == []
