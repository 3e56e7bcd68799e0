"""Where an unexpected error comes from, without its text: that may hold a message or an address."""

import traceback


def place(error: BaseException) -> str:
    """File and line at which an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
