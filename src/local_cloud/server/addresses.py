"""The addresses of servers: what they listen on and where programs find them."""

import contextlib
import ipaddress
import socket

LOOPBACK = "127.0.0.1"
_ANY = "0.0.0.0"  # noqa: S104  (compared with, never chosen here)


def address_of(host: str) -> str:
    """Return the IPv4 address of a host.

    Addresses are used throughout: to the name ``localhost`` some clients send no
    cookies.

    :param host: A name or an address.
    :raises OSError: If it has none.
    """
    return socket.gethostbyname(host)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach an IPv4 address."""
    return ipaddress.ip_address(address).is_loopback


def exposure(host: str) -> str | None:
    """Return a warning if other machines can reach a host, None otherwise.

    :raises OSError: If it has no address.
    """
    address = address_of(host)
    if is_loopback(address):
        return None
    return (
        f"Other machines can reach this server at {address}; whoever has its password "
        "or its tokens can use it, and runs programs on this machine as its user."
    )


def url_of(address: str, port: int) -> str:
    """Return the URL at which programs on this machine reach a server."""
    return f"https://{LOOPBACK if address == _ANY else address}:{port}"


def names_of(address: str) -> list[str]:
    """Return the names and addresses by which programs may call a server."""
    names = {address, LOOPBACK, "localhost"}
    if not is_loopback(address):
        machine = socket.gethostname()
        names.add(machine)
        with contextlib.suppress(OSError):  # a machine need not know its own name
            names.update(socket.gethostbyname_ex(machine)[2])
    return sorted(names)
