"""Open connections: the client's certificate, and cutting a socket without an answer.

uvicorn shows an app neither of them, so its protocol class is extended to remember the transport.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

Key = tuple[str, int, int]
LIVE: dict[Key, asyncio.Transport] = {}


def _key(transport: Any) -> Key | None:
    peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    return (peer[0], peer[1], own[1]) if peer and own else None


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type, unused-ignore]
    """uvicorn's HTTP protocol, remembering its transport while it is open."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport."""
        self.sim_key = _key(transport)
        if self.sim_key:
            LIVE[self.sim_key] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport."""
        if self.sim_key:
            LIVE.pop(self.sim_key, None)
        super().connection_lost(exc)


def transport_of(scope: Any) -> asyncio.Transport | None:
    """The transport behind an ASGI scope."""
    client, server = scope.get("client"), scope.get("server")
    return LIVE.get((client[0], client[1], server[1])) if client and server else None


def fingerprint(scope: Any) -> str | None:
    """SHA-256 of the client certificate in lower-case hex; "" over TLS without one, None over plain HTTP."""
    if scope.get("scheme") != "https":
        return None
    transport = transport_of(scope)
    secure = transport.get_extra_info("ssl_object") if transport else None
    certificate = secure.getpeercert(binary_form=True) if secure else None
    return hashlib.sha256(certificate).hexdigest() if certificate else ""


def cut(scope: Any) -> None:
    """Close the socket at once; with linger zero the client sees a reset, not an orderly end."""
    transport = transport_of(scope)
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def finish(scope: Any) -> None:
    """Close after what was written has gone out: a body cut short."""
    transport = transport_of(scope)
    if transport is not None:
        transport.close()
