"""Ties a child process to the life of its parent, so that `kill -9` of the parent leaves no orphan.

The kernel does it (`PR_SET_PDEATHSIG`), because it works for programs that are not ours and for
those that hang; a pipe to watch would need the child's help. Elsewhere than on Linux it does nothing.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def tether(farewell: signal.Signals) -> Callable[[], None]:
    """Give the `preexec_fn` of a child that shall get `farewell` when this process ends, however it ends."""
    parent = os.getpid()

    def tie() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
        if os.getppid() != parent:  # it went between the fork and the line above
            os.kill(os.getpid(), farewell)

    return tie
