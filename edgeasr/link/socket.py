"""Lines over TCP and Unix sockets: simulators, and Linux programs that listen."""

import os
import socket
import urllib.parse

from edgeasr.errors import InputError, LinkError
from edgeasr.link.line import DescriptorLink

_CONNECT_TIMEOUT_S = 5.0


class SocketLink(DescriptorLink):
    """A connected stream socket, which the link takes over."""

    hint = "is the simulator or program at its other end running?"

    def __init__(self, connected: socket.socket, name: str) -> None:
        fd = connected.detach()
        super().__init__(name, fd, fd)

    @classmethod
    def at_url(cls, url: str) -> "SocketLink":
        """Connect to `socket://HOST:PORT`."""
        parts = urllib.parse.urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port:
            raise InputError(f"{url}: is not socket://HOST:PORT, with a port of 1 to 65535")
        try:
            connected = socket.create_connection((host, port), _CONNECT_TIMEOUT_S)
        except OSError as error:
            raise _refused(url, error) from None
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connected, url)

    @classmethod
    def at_path(cls, path: str) -> "SocketLink":
        """Connect to a Unix socket."""
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.connect(path)
        except OSError as error:
            connected.close()
            raise _refused(f"unix:{path}", error) from None
        return cls(connected, f"unix:{path}")


def _refused(name: str, error: OSError) -> LinkError:
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return LinkError(f"{name}: no connection: {why}; {SocketLink.hint}")
