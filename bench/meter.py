"""The progress bar: one for the whole run, moved by what each step is expected to take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_console = Console(stderr=True, highlight=False)


class Meter:
    """Tells the person at the terminal what is being measured and how much is left."""

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=seconds)

    @contextmanager
    def step(self, what: str, seconds: float) -> Iterator[None]:
        """Name what is being done; when it is done, so many seconds of the plan are over."""
        self._progress.update(self._task, description=what)
        yield
        self._progress.advance(self._task, seconds)

    @classmethod
    @contextmanager
    def running(cls, seconds: float) -> Iterator[Self]:
        """Show the bar until the end of the block."""
        columns = (
            TextColumn("{task.description:<44}"),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=_console) as progress:
            yield cls(progress, seconds)
