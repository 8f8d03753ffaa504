"""Two ends of a line within this process: for tests, and for a device that is Python."""

import socket

from edgeasr.link.socket import SocketLink


def pair() -> tuple[SocketLink, SocketLink]:
    """Return both ends of a line; closing one closes it for the other."""
    one, two = socket.socketpair()
    return SocketLink(one, "near end of a pair"), SocketLink(two, "far end of a pair")
