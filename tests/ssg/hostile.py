"""A raw-socket HTTP server that answers whatever bytes a test wants, or breaks off where it wants."""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[socket.socket, Received], None]


@dataclass
class Hostile:
    """Answers every request with `answer`, or with the next of `answers`."""

    answer: Answer
    read_request: bool = True
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if not self.read_request:
                self.answer(connection, Received("", {}, b""))
                return
            with connection.makefile("rb") as stream:
                while (request := read_request(stream)) is not None:
                    self.received.append(request)
                    self.answer(connection, request)


def read_request(stream: object) -> Received | None:
    readline = stream.readline  # type: ignore[attr-defined]
    line = readline().decode().strip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while (header := readline().decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
    return Received(line, headers, body)


@contextlib.contextmanager
def hostile(answer: Answer, *, read_request: bool = True) -> Iterator[Hostile]:
    server = Hostile(answer, read_request)
    try:
        yield server
    finally:
        server.close()


def reply(
    body: bytes | str, status: str = "200 OK", headers: str = "", *, declared: int | None = None
) -> Answer:
    """A whole answer; `declared` lies about its length and then hangs up."""
    raw = body.encode() if isinstance(body, str) else body

    def send(connection: socket.socket, request: Received) -> None:
        length = len(raw) if declared is None else declared
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
        connection.sendall(head.encode() + raw)
        if declared is not None:
            connection.shutdown(socket.SHUT_RDWR)

    return send


def raw_bytes(content: bytes) -> Answer:
    """Bytes that need not be HTTP, then the end."""

    def send(connection: socket.socket, request: Received) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return send


def reset(connection: socket.socket, request: Received) -> None:
    """TCP RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def hang_up(connection: socket.socket, request: Received) -> None:
    """An orderly end without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def silence(connection: socket.socket, request: Received) -> None:
    """No answer at all."""
    time.sleep(3)


def drip(connection: socket.socket, request: Received) -> None:
    """A byte now and then, so that no single read times out."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(60):
        connection.sendall(b" ")
        time.sleep(0.05)
