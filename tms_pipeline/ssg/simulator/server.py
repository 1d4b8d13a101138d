"""Running the simulator: sockets, TLS, ready file, signals (docs/simulator.md)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from . import certificates
from .app import build_app
from .config import Config
from .connections import LIVE, Protocol

__all__ = ["PortTakenError", "build_app", "serve"]


class PortTakenError(RuntimeError):
    """Somebody else listens there."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling; serve() does that for both listeners."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only where the protocol is named; without it every answer waits 40 ms
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(f"port {port} on {host} is taken by another program") from error
        if error.errno == errno.EACCES:
            raise PortTakenError(f"port {port} on {host} may not be used by this user") from error
        raise
    sock.setblocking(False)
    return sock


def _write_ready(path: Path, content: dict[str, Any]) -> None:
    """Written whole or not at all, so that a waiting program never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content) + "\n")
    temporary.replace(path)


async def _serve(config: Config) -> None:
    app = build_app(config)
    gateway = app.state.gateway
    shown = f"[{config.host}]" if ":" in config.host else config.host
    main = _listen(config.host, config.port)
    sockets = [main]
    port = main.getsockname()[1]
    context = certificates.server_context(config.tls_dir, config.apps) if config.tls_dir else None
    ready = {"port": port, "pid": os.getpid(), "base_url": f"http{'s' if context else ''}://{shown}:{port}"}
    if context:
        # the open host (OAuth2) asks for no client certificate, so it is a second listener
        sockets.append(_listen(config.host, config.public_port))
        open_port = sockets[1].getsockname()[1]
        gateway.open_ports.add(open_port)
        ready |= {
            "public_base_url": f"http://{shown}:{open_port}",
            "control_url": f"http://{shown}:{open_port}",
            "tls_dir": str(config.tls_dir),
        }
    servers = []
    for index in range(len(sockets)):
        settings = uvicorn.Config(
            app,
            http=Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=65,
            timeout_graceful_shutdown=1,
        )
        settings.load()
        settings.ssl = context if index == 0 else None
        servers.append(_Server(settings))

    def stop() -> None:
        gateway.stopping.set()
        for server in servers:
            server.should_exit = True
        asyncio.get_running_loop().call_later(0.3, _drop_all)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, stop)
    running = [
        asyncio.create_task(server.serve(sockets=[sock]))
        for server, sock in zip(servers, sockets, strict=True)
    ]
    try:
        while not all(server.started for server in servers) and not any(task.done() for task in running):
            await asyncio.sleep(0.005)
        if config.ready_file:
            _write_ready(config.ready_file, ready)
        await asyncio.gather(*running)
    finally:
        if config.ready_file:
            config.ready_file.unlink(missing_ok=True)
        gateway.world.store.close()


def _drop_all() -> None:
    for transport in list(LIVE.values()):
        transport.abort()


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. PortTakenError when the port is taken, ConfigError for a bad config.

    When it listens, the ready file has port, pid and base_url; with TLS also public_base_url (the OAuth2
    host, without client certificates) and control_url.
    """
    asyncio.run(_serve(config))
