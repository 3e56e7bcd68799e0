"""Who is asking: the address of the client, believed from a proxy only if that proxy is ours."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from parley.settings import SettingsError

Proxies = Sequence[IPv4Network | IPv6Network]


def proxies(names: Sequence[str]) -> Proxies:
    """Read TRUSTED_PROXIES."""
    try:
        return tuple(ip_network(name, strict=False) for name in names)
    except ValueError as error:
        raise SettingsError(
            f"TRUSTED_PROXIES is {','.join(names)!r}, but takes IP addresses or networks ({error})"
        ) from None


def client_ip(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], trusted: Proxies) -> str:
    """The peer, or, behind our own proxies, the last address in X-Forwarded-For that is not one of them."""
    peer: str = (scope.get("client") or ("unknown", 0))[0]
    if not trusted or not _is_ours(peer, trusted):
        return peer
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
    for hop in reversed([hop.strip() for hop in forwarded]):
        if not _is_address(hop):
            break
        peer = hop
        if not _is_ours(hop, trusted):
            break
    return peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_ours(address: str, trusted: Proxies) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)
