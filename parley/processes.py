"""Child processes: started group by group, started again when one dies, stopped in the opposite order.

Children run in sessions of their own, so that Ctrl-C reaches this process alone, which then stops them in
order; and they are tethered, so that none outlives it.
"""

import asyncio
import contextlib
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from parley.tether import tether

_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 10.0
_STEADY_SECONDS = 30.0  # who lived that long has earned a quick restart


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What a child runs, what it inherits, and how long it may take to end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    patience: float = 1.5


class Children:
    """The child processes of this one; leaving the block stops them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._groups: list[list[_Child]] = []

    def start(self, *programs: Program) -> None:
        """Start a group of programs that will be stopped together."""
        self._groups.append([_Child(program, self._say) for program in programs])

    async def stop(self) -> None:
        """Stop them politely, the youngest group first; by force where patience ends."""
        while self._groups:
            group = self._groups[-1]
            await asyncio.gather(*(child.stop() for child in group))
            self._groups.remove(group)

    def kill(self) -> None:
        """End them all at once."""
        for group in self._groups:
            for child in group:
                child.signal(signal.SIGKILL)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class _Child:
    """One program, kept running until it is stopped."""

    def __init__(self, program: Program, say: Callable[[str], None]) -> None:
        self._program = program
        self._say = say
        self._process: Process | None = None
        self._keeping = asyncio.create_task(self._keep())

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        if self._process is None:
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self._program.patience)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._process.wait()

    async def _keep(self) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            began = asyncio.get_running_loop().time()
            how = await self._run()
            if asyncio.get_running_loop().time() - began > _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            self._say(f"{self._program.name} ended ({how}); starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY_SECONDS)

    async def _run(self) -> str:
        """Run it once to its end, and say how that came; no memory for it is an end too."""
        try:
            self._process = await self._spawn()
        except OSError as error:
            return str(error)
        return _meaning(await self._process.wait())

    async def _spawn(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._program.command,
            env=dict(self._program.environment),
            pass_fds=tuple(self._program.descriptors),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tether(signal.SIGTERM),
        )


def _meaning(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
