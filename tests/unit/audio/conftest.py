"""A server on loopback whose behaviour a test chooses."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """What the server has and how it behaves.

    cut_after: bytes of each body after which the connection is closed, for the first `cuts`
    answers; errors: status codes given first, one per request; ranges: whether Range is obeyed;
    tell_length: whether Content-Length is sent. requests: (path, Range header) as they came.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    cuts: int = 10**9
    errors: list[int] = field(default_factory=list)
    ranges: bool = True
    tell_length: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site
        asked = self.headers.get("Range")
        site.requests.append((self.path, asked))
        if site.errors:
            self.send_error(site.errors.pop(0))
            return
        content = site.files.get(self.path.removeprefix("/"))
        if content is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and site.ranges else 0
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        if site.tell_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if site.cut_after is not None and site.cuts > 0:
            site.cuts -= 1
            body = body[: site.cut_after]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = Site(address=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.site
    server.shutdown()
    server.server_close()
    thread.join()
