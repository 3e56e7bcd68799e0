"""One structured line for each thing that happens: JSON for machines, colours for a terminal."""

import asyncio
import logging
import sys

import msgspec
import structlog

from parley.settings import LogLevel


def configure(level: LogLevel) -> None:
    """Set up this process's log on standard output."""
    # At a terminal somebody reads along; anywhere else a machine does.
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stdout.isatty()
        else structlog.processors.JSONRenderer(serializer=_encode)
    )
    lines = _Lines()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


class _Lines:
    """Writes what one turn of the event loop logs in one system call; without a loop, at once."""

    def __init__(self) -> None:
        self._held: list[str] = []

    def msg(self, line: str) -> None:
        self._held.append(line)
        if len(self._held) == 1:
            self._schedule()

    debug = info = warning = error = critical = exception = msg

    def _schedule(self) -> None:
        try:
            asyncio.get_running_loop().call_soon(self._flush)
        except RuntimeError:
            self._flush()

    def _flush(self) -> None:
        held, self._held = self._held, []
        sys.stdout.write("\n".join(held) + "\n")
        sys.stdout.flush()


def _encode(event: object, default: object = None, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
