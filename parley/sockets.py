"""Listening sockets: proven to be free, then one for each serve process."""

import errno
import socket

from parley.settings import SettingsError

_BACKLOG = 2048
# What a client does not take for so long ends its connection, however many acknowledgements of nothing it sends.
_UNREAD_MILLISECONDS = 30_000


def free(host: str, port: int, variable: str = "PORT") -> None:
    """Raise unless a server could listen there; a port that is shared tells nobody that it is taken."""
    with _socket(host) as probe:
        _bind(probe, host, port, variable)
        _listen(probe, port, variable)


def pair(host: str, first: int, variable: str, tries: int) -> tuple[socket.socket, socket.socket]:
    """Open two neighbouring ports, from the first free pair on; raise if none of so many pairs is free."""
    opened: list[socket.socket] = []
    try:
        for port in (first, first + 1):
            opened.append(_socket(host))
            _bind(opened[-1], host, port, variable)
            _listen(opened[-1], port, variable)
    except SettingsError:
        for half in opened:
            half.close()
        if tries <= 1:
            raise
        return pair(host, first + 2, variable, tries - 1)
    return opened[0], opened[1]


def listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """Open that many sockets on one address; the kernel spreads new connections over them."""
    free(host, port)
    return [_shared(host, port) for _ in range(count)]


def _shared(host: str, port: int) -> socket.socket:
    opened = _socket(host)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS)
    _bind(opened, host, port, "PORT")
    _listen(opened, port, "PORT")
    return opened


def _socket(host: str) -> socket.socket:
    opened = socket.socket(_family(host), socket.SOCK_STREAM)
    # Connections of the previous run that linger in TIME_WAIT are no reason to refuse.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return opened


def _family(host: str) -> socket.AddressFamily:
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
    except OSError:
        raise SettingsError(f"HOST is {host!r}, but takes an address or name of this machine") from None


def _bind(opened: socket.socket, host: str, port: int, variable: str) -> None:
    try:
        opened.bind((host, port))
    except PermissionError:
        raise SettingsError(f"{variable} {port} is for root only; choose another with {variable}=…") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _taken(port, variable) from None
        raise SettingsError(f"HOST is {host!r}, but takes an address or name of this machine") from None


def _listen(opened: socket.socket, port: int, variable: str) -> None:
    try:
        opened.listen(_BACKLOG)
    except OSError:
        raise _taken(port, variable) from None


def _taken(port: int, variable: str) -> SettingsError:
    return SettingsError(f"{variable} {port} is taken; choose another with {variable}=…")
