"""Where an unexpected error comes from, without its text: that may hold a message or an address."""

import traceback


def trail(error: BaseException) -> list[str]:
    """Files and lines through which an error came, the outermost first."""
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]


def place(error: BaseException) -> str:
    """File and line at which an error was raised."""
    return (trail(error) or ["unknown"])[-1]
