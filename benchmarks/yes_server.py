"""An SSG that says yes to every attendance upload, in a process of its own: the fastest other end there is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

LATENCY = "TMS_BENCH_LATENCY_MS"
REPLY = b'{"status":200,"data":{},"meta":{},"error":{}}'


async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """Answer after the body was read, as any server must."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        continue
    if waits := float(os.environ.get(LATENCY, "0")):
        await asyncio.sleep(waits / 1000)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"),
         (b"content-length", str(len(REPLY)).encode())]}
    )  # fmt: skip
    await send({"type": "http.response.body", "body": REPLY})


@contextlib.contextmanager
def yes_server(latency_ms: float = 0) -> Iterator[str]:
    """Its address while it runs; each answer takes so many milliseconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "benchmarks.yes_server:app", "--port", str(port), "--log-level", "error"],
        env={**os.environ, LATENCY: str(latency_ms)},
    )
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
