"""HTTP as it arrives: a head that is too large, too slow or no HTTP at all is refused in our own shape."""

import asyncio

import structlog
from uuid_utils import uuid7
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from parley import metrics
from parley.api.frame import SECURITY, WHOLE
from parley.api.problems import HttpProblem, problem
from parley.cork import CorkedProtocol

log = structlog.get_logger()

_LARGEST_HEAD = 65_536
_HEAD_SECONDS = 20.0
# So long what a refused client still sends is thrown away; closing at once would reset what it has not read yet.
_LINGER_SECONDS = 1.0


class Protocol(CorkedProtocol):
    """The server's protocol, with bounds on everything that comes before a body."""

    _reading = True
    _size = 0
    _arrived = 0
    _refused = False
    _refusal = (400, "this is no HTTP request that can be read")
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._reading = False
        self._watch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._arrived = len(data)
        super().data_received(data)
        if self._reading:
            self._size += len(data)
            if self._size > _LARGEST_HEAD:
                self._refuse(431, f"the request's head is larger than {_LARGEST_HEAD} bytes")
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading, self._size = True, 0

    def on_headers_complete(self) -> None:
        # Only a head that came with so many bytes can be too large: the rest is not counted one by one.
        if self._size + self._arrived > _LARGEST_HEAD and self._head_size() > _LARGEST_HEAD:
            self._refusal = (431, f"the request's head is larger than {_LARGEST_HEAD} bytes")
            raise ValueError(self._refusal[1])  # which makes the parser give up, and the server refuse
        self._reading = False
        super().on_headers_complete()

    def _head_size(self) -> int:
        return sum(len(name) + len(value) for name, value in self.headers) + len(self.url)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.scope.update({WHOLE: True})  # type: ignore[misc]

    def send_400_response(self, msg: str) -> None:
        self._refuse(*self._refusal)

    def _watch(self) -> None:
        """Let the clock run while a head is awaited, and only then."""
        if self._reading and self._deadline is None:
            self._deadline = self.loop.call_later(_HEAD_SECONDS, self._give_up)
        elif not self._reading and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    @property
    def _busy(self) -> bool:
        """Whether an earlier request, which came whole, is still being answered."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def _give_up(self) -> None:
        self._deadline = None
        if self._busy:
            self._watch()
        elif self._size:
            self._refuse(408, "the request's head took too long to arrive")
        else:  # a connection that was opened for later
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        if self._refused:
            return
        self._refused, self._reading = True, False
        if self._busy:
            self.cycle.keep_alive = (
                False  # the answer that is due comes first, and the connection ends with it
            )
            return
        scope = {"request_id": str(uuid7()), "path": ""}
        response = problem(scope, HttpProblem(status, message, headers={"Connection": "close"}))
        lines = [*response.raw_headers, *SECURITY, (b"x-request-id", scope["request_id"].encode())]
        head = b"".join(b"%s: %s\r\n" % line for line in lines)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + bytes(response.body))
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        metrics.request("-", "unreadable", status, 0)
        client = self.client[0] if self.client else "unknown"
        log.info("refused", status=status, client_ip=client, request_id=scope["request_id"])
