"""The promise of delivery, proved with the providers' own ledger."""

from pathlib import Path

from tests.chaos.storm import storm


async def test_nothing_is_lost_and_nothing_doubled_in_a_storm(tmp_path: Path) -> None:
    """Errors, throttling, silence, lost, doubled and disordered callbacks, and a worker killed with -9."""
    result = await storm(tmp_path, messages=400, seed=7, say=print)
    assert result.lost == []
    assert result.doubled == []
    assert result.unexplained == []
    assert (
        len(result.undecidable) <= 4
    )  # an email whose silence and whose every lost event left no way to know
