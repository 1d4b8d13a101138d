"""The ASGI application: SSG's surface, the control API, the page and the OpenAPI document."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from . import page, seeds, wire
from .calls import Endpoint, World
from .clock import Clock
from .config import Config, ConfigError
from .control import Control, refuse_stranger
from .endpoints import ENDPOINTS
from .faults import Faults
from .gateway import Gateway, Request
from .openapi import document
from .settings import Settings
from .store import Store


class PathApp:
    """One path of SSG's surface with its methods, as a raw ASGI app: faults need the bare channel."""

    def __init__(self, gateway: Gateway, methods: dict[str, Endpoint]) -> None:
        self.gateway = gateway
        self.methods = methods

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the request and hand it to the gateway."""
        endpoint = self.methods.get(scope["method"])
        if endpoint is None:
            body: dict[str, Any] = {"status": 405, "error": {"message": "Method Not Allowed"}}
            return await JSONResponse(body, 405, {"allow": ", ".join(self.methods)})(scope, receive, send)
        raw = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            raw += message.get("body", b"")
            if len(raw) > wire.MAX_BODY:
                body = {"status": 413, "error": {"message": "Request body is too large"}}
                return await JSONResponse(body, 413, {"connection": "close"})(scope, receive, send)
            if not message.get("more_body"):
                break
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        open_host = scope["server"][1] in self.gateway.open_ports if scope.get("server") else False
        return await self.gateway.handle(
            Request(
                scope,
                receive,
                send,
                endpoint,
                endpoint.name,
                scope["path_params"],
                dict(query),
                headers,
                bytes(raw),
                open_host,
            )
        )


class TrailingSlash:
    """SSG's own builder strips trailing slashes; so does the simulator (ssg-api 1.4)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, without the slash."""
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self.app(scope, receive, send)


def build_world(config: Config) -> World:
    """The records, clock and settings of a config; a state file's clock and settings win over the data's."""
    try:
        store = Store(config.state_file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"cannot use the state file {config.state_file}: {error}") from error
    kept = store.get("control", "clock") or {"offset": 0.0, "frozen_at": None}
    world = World(store, Clock(kept["offset"], kept["frozen_at"]), Settings(), config.apps, seed=config.seed)
    try:
        world.settings.update(config.data.get("settings") or {})
        world.settings.update(store.get("control", "settings") or {})
        seeds.furnish(world, config.data)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(str(error)) from error
    return world


def build_app(config: Config) -> Starlette:
    """The simulator as a Starlette app; `app.state.gateway` is its gateway (docs/simulator.md)."""
    faults = Faults(config.seed)
    try:
        faults.arm(config.faults)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    gateway = Gateway(build_world(config), faults)
    control = Control(gateway, config)
    shape = document()

    async def home(request: HttpRequest) -> Response:
        return refuse_stranger(request) or HTMLResponse(page.render(gateway).encode("utf-8", "replace"))

    async def openapi(request: HttpRequest) -> Response:
        return JSONResponse(shape)

    async def missing(request: HttpRequest, error: Exception) -> Response:
        return JSONResponse({"status": 404, "error": {"message": "Not Found"}}, 404)

    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    routes = [Route(path, PathApp(gateway, methods)) for path, methods in paths.items()]
    routes += [
        *control.routes(),
        Route("/", home, methods=["GET"]),
        Route("/openapi.json", openapi, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: missing})
    app.add_middleware(TrailingSlash)
    app.state.gateway = gateway
    app.state.control = control
    return app
