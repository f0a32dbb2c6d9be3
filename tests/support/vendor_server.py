"""A vendor's server on this machine, which answers as its documentation says."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from konkyo.retry import RetryPolicy

KEY = "abcdef0123456789marker0123456789"
"""The secret that must be nowhere but in the requests."""


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Told:
    status: int = 200
    body: bytes | str | dict = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Vendor:
    """Routes of a server, what it was asked, and answers that come before the routes'."""

    url: str
    routes: dict[str, Callable[[Asked], Told]] = field(default_factory=dict)
    first: list[Told] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        if self.first:
            return self.first.pop(0)
        route = self.routes.get(asked.path)
        return route(asked) if route else Told(404, "no such path")


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1  # One packet an answer: half of one would wait for an acknowledgement.

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            told = served.answer(Asked(url.path, query, dict(self.headers)))
            body = told.body
            body = json.dumps(body) if isinstance(body, dict) else body
            data = body.encode() if isinstance(body, str) else body
            self.send_response(told.status)
            for name, value in {"Content-Length": str(len(data)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Vendor(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def policy(waits: list[float]) -> RetryPolicy:
    return RetryPolicy(attempts=3, sleep=waits.append)
