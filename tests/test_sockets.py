"""Listening sockets: one for each process on one port, and a clear word when the port is not to be had."""

import socket
import subprocess
import sys

import pytest

from parley.settings import SettingsError
from parley.sockets import free, listeners, pair


def test_a_taken_port_is_one_clear_line(free_port: int) -> None:
    """Whoever listens there, even on all addresses or ready to share the port, it is taken."""
    for option, host in ((socket.SO_REUSEADDR, "127.0.0.1"), (socket.SO_REUSEPORT, "0.0.0.0")):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, option, 1)
            other.bind((host, free_port))
            other.listen()
            with pytest.raises(
                SettingsError, match=rf"^PORT {free_port} is taken; choose another with PORT=…$"
            ):
                listeners("127.0.0.1", free_port, 2)


def test_the_line_names_the_variable(free_port: int) -> None:
    """The simulators' port is another variable."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(SettingsError, match=r"^SIMULATOR_PORT .* choose another with SIMULATOR_PORT=…$"):
            free("127.0.0.1", free_port, "SIMULATOR_PORT")


def test_a_second_copy_finds_ports_of_its_own(free_port: int) -> None:
    """Where nobody chose the port, the next free pair is taken; where somebody did, it is refused."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        web, mail = pair("127.0.0.1", free_port, "SIMULATOR_PORT", 50)
        with web, mail:
            assert web.getsockname()[1] > free_port
            assert mail.getsockname()[1] == web.getsockname()[1] + 1
        with pytest.raises(SettingsError, match="is taken"):
            pair("127.0.0.1", free_port, "SIMULATOR_PORT", 1)


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(free_port: int, host: str) -> None:
    """Only what belongs to this machine can be listened on."""
    with pytest.raises(
        SettingsError, match=f"^HOST is '{host}', but takes an address or name of this machine$"
    ):
        free(host, free_port)


def test_connections_that_linger_from_the_last_run_do_not_take_the_port(free_port: int) -> None:
    """A restart right after a stop works: TIME_WAIT is not taken for a listener."""
    address = ("127.0.0.1", free_port)
    with socket.create_server(address) as server, socket.create_connection(address):
        server.accept()[0].close()  # we close first, so the lingering side is ours
    free("127.0.0.1", free_port)


def test_a_child_serves_on_the_socket_that_it_inherits(free_port: int) -> None:
    """Several sockets listen on one port, and each still listens when another process has taken it over."""
    sockets = listeners("127.0.0.1", free_port, 2)
    assert {opened.getsockname() for opened in sockets} == {("127.0.0.1", free_port)}
    script = (
        "import socket, sys\n"
        "opened = socket.socket(fileno=int(sys.argv[1]))\n"
        "while True:\n"
        "    opened.accept()[0].sendall(sys.argv[1].encode())\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(opened.fileno())], pass_fds=[opened.fileno()])
        for opened in sockets
    ]
    expected = {str(opened.fileno()) for opened in sockets}
    for opened in sockets:
        opened.close()
    heard: set[str] = set()
    while heard != expected:
        with socket.create_connection(("127.0.0.1", free_port)) as client:
            heard.add(client.recv(10).decode())
    for child in children:
        child.kill()
        child.wait()
