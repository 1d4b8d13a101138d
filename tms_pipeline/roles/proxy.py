"""The proxy's header: who logged in, believed only from the proxy itself, by its address and its shared secret."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.settings import Settings

SECRET_HEADER = "x-tms-proxy-secret"  # noqa: S105  (the header's name)
_NOT_BELIEVED = "This page is reached through the proxy with a login only; open it there."


def name_of_request(settings: Settings, headers: Mapping[str, str], client: str | None) -> str:
    """The name that the proxy vouches for. ``client``: the address that the connection came from, as the socket has it.

    Raises NotAllowed when no proxy is set up, the request came from elsewhere, the secret is not the proxy's, or the
    header is missing or there twice (a proxy that lets the visitor's own header through joins both by a comma).
    """
    given = {name.lower(): value for name, value in headers.items()}
    secret = settings.proxy_secret.get_secret_value()
    if not settings.proxy_address or len(secret) < 32:
        raise NotAllowed(
            "No proxy is set up for logins; set TMS_PROXY_ADDRESS and a TMS_PROXY_SECRET of 32 characters or more."
        )
    if not _from_proxy(settings.proxy_address, client):
        raise NotAllowed(_NOT_BELIEVED)
    if not hmac.compare_digest(secret.encode(), given.get(SECRET_HEADER, "").encode()):
        raise NotAllowed(_NOT_BELIEVED)
    name = given.get(settings.proxy_header.lower(), "").strip()
    if not name or "," in name or len(name) > 200 or not name.isprintable():
        raise NotAllowed(_NOT_BELIEVED)
    return name


def _from_proxy(addresses: str, client: str | None) -> bool:
    try:
        here = ip_address(client or "")
        return any(here in ip_network(part.strip(), strict=False) for part in addresses.split(",") if part.strip())
    except ValueError:
        return False
