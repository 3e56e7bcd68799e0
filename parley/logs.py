"""One structured line for each thing that happens: JSON for machines, colours for a terminal."""

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
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _encode(event: object, default: object = None, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
