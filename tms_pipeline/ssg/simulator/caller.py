"""Who calls, and may they: certificate or bearer, subscription, version (ssg-api 1.2, 2.1, 2.2, 14.3)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from . import connections, tokens
from .calls import App, Endpoint, World
from .endpoints import EXPIRED, VERSIONS
from .envelopes import DISALLOWED, NO_VERSION, gateway_error
from .envelopes import EXPIRED as EXPIRED_TEXT
from .settings import Settings

STAND_IN = "x-sim-cert-uen"


def certificate_app(world: World, scope: Any, headers: dict[str, str]) -> App | None:
    """The app behind the client certificate; over plain HTTP the stand-in header, else the first app."""
    found = connections.fingerprint(scope)
    if found is not None:
        return next((app for app in world.apps if found and found in app.fingerprints), None)
    uen = headers.get(STAND_IN)
    return world.app_of(uen.strip()) if uen is not None else world.apps[0]


def admit(world: World, endpoint: Endpoint, scope: Any, headers: dict[str, str], open_host: bool) -> App:
    """Step 1 of the check order: the app, or the gateway's 403 (ssg-api 3.5)."""
    if endpoint.auth == "none":
        return world.apps[0]
    app: App | None = None
    kind, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if kind.lower() == "bearer" else ""
    if endpoint.auth in ("oauth", "either") and bearer:
        app = world.app_of(tokens.holder(world, bearer) or "")
        if app is None:
            raise gateway_error(401, "Unauthorized", {"www-authenticate": "Bearer"})
    elif endpoint.auth in ("mtls", "either") and not open_host:
        app = certificate_app(world, scope, headers)
    if app is None or not any(fnmatchcase(endpoint.name, pattern) for pattern in app.subscriptions):
        raise gateway_error(403, DISALLOWED)
    return app


def check_version(endpoint: Endpoint, headers: dict[str, str], settings: Settings) -> None:
    """Step 2: a missing version is the newest one; `v1`, `1.0` and `V1.0` are the same (ssg-api 1.2)."""
    given = headers.get("x-api-version", "").strip().lower().removeprefix("v")
    if not given or endpoint.group not in VERSIONS:
        return
    if re.fullmatch(r"\d+", given):
        given += ".0"
    if given in EXPIRED.get(endpoint.group, ()):
        raise gateway_error(403, EXPIRED_TEXT)
    if settings.refuse_unknown_versions and given not in VERSIONS[endpoint.group]:
        raise gateway_error(403, NO_VERSION)


def check_uen_header(endpoint: Endpoint, headers: dict[str, str], app: App, settings: Settings) -> None:
    """Strict only: the `uen` header where the portal wants it, and equal to the caller's (ssg-api 1.3)."""
    if not settings.strict_uen_header or endpoint.auth != "mtls":
        return
    given = headers.get("uen", "").strip()
    wanted = endpoint.name in ("registry.search", "registry.view", "grant.search")
    if (given and given != app.uen) or (wanted and not given):
        raise gateway_error(403, DISALLOWED)
