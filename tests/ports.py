"""Ports for the services that tests start."""

import random
import socket


def free_ports() -> tuple[int, int]:
    """One for a service, and one for its simulators with a free neighbour for mail.

    All below those from which the system takes ports by itself.
    """
    while True:
        ports = random.randrange(12_000, 30_000), (pair := random.randrange(12_000, 30_000)), pair + 1
        if len({*ports}) == 3 and all(map(is_free, ports)):
            return ports[:2]


def is_free(port: int) -> bool:
    """Whether nobody listens on it."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
