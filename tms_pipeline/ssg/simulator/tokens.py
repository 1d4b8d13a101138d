"""OAuth2 client credentials of the open host (ssg-api 2.2)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from .calls import App, Call, World
from .envelopes import Reply
from .fields import text


def holder(world: World, token: str) -> str | None:
    """The UEN behind a live token, or None (ssg-api 2.2). Tokens do not survive a restart."""
    uen, until = world.tokens.get(token, ("", 0.0))
    return uen if uen and world.clock.now() < until else None


def _basic(header: str) -> tuple[str, str]:
    kind, _, packed = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        client, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return client, secret


def _client(world: World, client: str, secret: str) -> App | None:
    return next(
        (
            app
            for app in world.apps
            if app.client_id
            and app.client_id == client
            and hmac.compare_digest(app.client_secret.encode(), secret.encode())
        ),
        None,
    )


def issue(call: Call) -> Reply:
    """POST /dp-oauth/oauth/token: Basic credentials, grant_type=client_credentials (ssg-api 2.2)."""
    form = call.body if isinstance(call.body, dict) else {}
    client, secret = _basic(call.headers.get("authorization", ""))
    if not client:
        client, secret = text(form.get("client_id")), text(form.get("client_secret"))
    app = _client(call.world, client, secret)
    if app is None:
        return Reply(401, {"error": "invalid_client"}, "gateway", {"www-authenticate": "Basic"})
    if text(form.get("grant_type")) != "client_credentials":
        return Reply(400, {"error": "unsupported_grant_type"}, "gateway")
    life = call.settings.token_lifetime_seconds
    token = secrets.token_urlsafe(32)
    call.world.tokens[token] = (app.uen, call.now + life)
    return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": int(life)}, "gateway")
