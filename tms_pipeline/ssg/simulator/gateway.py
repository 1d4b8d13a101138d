"""One call from socket to socket: checks in the order of 14.3, the handler, the faults around it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import caller, cipher, connections, elsewhere, wire
from .calls import Call, Endpoint, World
from .envelopes import EXPIRED, Json, Refusal, Reply, course_error, detail, gateway_error, tpg_error
from .faults import AFTER_COMMIT, BEFORE_COMMIT, STATUSES, Fault, Faults
from .fields import dig, text, whole
from .settings import Settings

CORRELATION = ("x-correlation-id", "correlation-id", "x-request-id", "request-id", "traceparent")
OTHER_KEY = bytes(range(255, 223, -1))  # for wrong_encryption; no app may have it
HTML = (
    b"<html><head><title>Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"
)


@dataclass(slots=True)
class Request:
    """The request as read from the socket."""

    scope: Any
    receive: Any
    send: Any
    endpoint: Endpoint
    name: str
    path_params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    open_host: bool
    uen: str = ""
    wrote: bool = False


class Gateway:
    """The gateway and the API behind it."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self.calls: deque[Json] = deque(maxlen=5000)
        self.counts: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.stopping = asyncio.Event()
        self.open_ports: set[int] = set()

    async def handle(self, request: Request) -> None:
        """Answer one call, and remember it without its bodies."""
        started, world = time.perf_counter(), self.world
        probe = self._probe(request)
        request.name = request.endpoint.actions.get(text(_action(probe)).lower(), request.endpoint.name)
        pages = (dig(probe, "parameters.page"), dig(probe, "page"), request.query.get("page"))
        number = next((whole(page) for page in pages if page is not None), None)
        hits: list[Fault] = []
        if self.faults.armed:
            shown = (
                json.dumps(probe, ensure_ascii=False)
                if any(f.body_contains for f in self.faults.armed)
                else ""
            )
            hits = self.faults.draw(request.name, request.scope["path"], shown, number)
        latency = world.settings.latency_by_endpoint.get(request.name, world.settings.latency_ms)
        if latency:
            await self._pause(request, latency / 1000)
        status = await self._answer(request, hits)
        self.counts[request.name] += 1
        if request.wrote:
            self.writes[request.name] += 1
        self.calls.append(
            {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "endpoint": request.name,
                "method": request.endpoint.method,
                "path": request.scope["path"],
                "status": status,
                "ms": round((time.perf_counter() - started) * 1000, 3),
                "caller": request.uen,
                "wrote": request.wrote,
                "faults": [fault.kind for fault in hits],
                "correlation": {
                    name: request.headers[name] for name in CORRELATION if name in request.headers
                },
            }
        )

    def _probe(self, request: Request) -> Any:
        """The decoded body for naming and matching only; whatever is wrong with it is judged later."""
        if not (request.endpoint.actions or self.faults.armed):
            return None
        try:
            app = caller.admit(
                self.world, request.endpoint, request.scope, request.headers, request.open_host
            )
            return wire.read_body(request.raw, request.endpoint, app.key, self.world.settings)
        except Refusal:
            return None

    def process(self, request: Request, settings: Settings, hits: list[Fault]) -> tuple[Reply, bytes]:
        """Steps 1 to 10 of 14.3; returns the reply and the key it is written with."""
        world, endpoint, key = self.world, request.endpoint, self.world.apps[0].key
        commits = world.store.commits
        try:
            app = caller.admit(world, endpoint, request.scope, request.headers, request.open_host)
            request.uen, key = app.uen, app.key
            caller.check_version(endpoint, request.headers, settings)
            caller.check_uen_header(endpoint, request.headers, app, settings)
            body = wire.read_body(request.raw, endpoint, key, settings)
            empty = next((f for f in hits if f.kind == "empty_page"), None)
            reply = endpoint.handler(
                Call(
                    endpoint,
                    world,
                    request.path_params,
                    request.query,
                    request.headers,
                    app,
                    settings,
                    body,
                    empty is not None,
                    bool(empty and empty.params.get("keep_total")),
                )
            )
        except Refusal as refusal:
            reply = refusal.reply
        except Exception:  # a fault of the simulator itself: shown on stderr, never hidden as SSG's
            traceback.print_exc(file=sys.stderr)
            reply = gateway_error(500, "The simulator failed; its stderr says why").reply
        if endpoint.writes and reply.kind == "success" and world.store.commits != commits:
            request.wrote = True
        if settings.business_errors_http_200 and reply.kind == "business":
            reply.status = 200
        return reply, key

    async def _answer(self, request: Request, hits: list[Fault]) -> int | None:
        settings = self.world.settings
        for fault in hits:
            if fault.kind == "slow":
                await self._pause(request, fault.params.get("seconds", 1.0))
            if (
                fault.kind in ("cancelled_elsewhere", "edited_elsewhere")
                and fault.params.get("when") != "after"
            ):
                elsewhere.strike(self.world, fault, request.name, request.path_params, None)
        ending = next(
            (
                f
                for f in hits
                if f.kind in BEFORE_COMMIT + AFTER_COMMIT + STATUSES
                or f.kind
                in (
                    "version_expired",
                    "error_in_200",
                    "non_json",
                    "truncated",
                    "wrong_encryption",
                    "page_failing",
                )
            ),
            None,
        )
        reply, key = None, self.world.apps[0].key
        if ending is None or ending.kind in AFTER_COMMIT or ending.commits:
            reply, key = self.process(request, settings, hits)
            for fault in hits:
                if fault.kind == "duplicate" and reply.status == 200:
                    self.process(request, _lenient(settings), [])
                if (
                    fault.kind in ("cancelled_elsewhere", "edited_elsewhere")
                    and fault.params.get("when") == "after"
                ):
                    elsewhere.strike(self.world, fault, request.name, request.path_params, reply.body)
        if ending is None and reply is not None:
            body = wire.write_body(reply, request.endpoint, key, settings)
            return await self._send(request, reply.status, body, reply.headers)
        return await self._spoil(request, ending, reply, key) if ending else None

    async def _spoil(self, request: Request, fault: Fault, reply: Reply | None, key: bytes) -> int | None:
        """The answer that the ending fault gives instead of SSG's."""
        kind, params, settings = fault.kind, fault.params, self.world.settings
        if kind in BEFORE_COMMIT + AFTER_COMMIT:
            if kind.startswith("timeout"):
                await self._pause(request, params.get("seconds", 300.0))
            connections.cut(request.scope)
            await request.receive()  # until the connection is seen to be gone
            return None
        if kind in STATUSES or kind == "page_failing":
            status = int(params.get("status", 500 if kind == "page_failing" else kind))
            message = text(params.get("message")) or {
                429: "Too Many Requests",
                500: "Middleware error",
                502: "Bad Gateway",
                503: "Service Unavailable",
            }.get(status, "")
            headers = (
                {"retry-after": f"{params.get('retry_after', 1):g}"}
                if status == 429 or "retry_after" in params
                else {}
            )
            body = json.dumps({"status": status, "error": {"message": message}}).encode()
            return await self._send(request, status, text(params.get("body")).encode() or body, headers)
        if kind == "version_expired":
            error = gateway_error(403, EXPIRED).reply
            return await self._send(request, 403, json.dumps(error.body).encode(), {})
        if kind == "error_in_200":
            status, message = (
                int(params.get("status", 400)),
                text(params.get("message")) or "Request cannot be processed",
            )
            details = [detail("-", text(params.get("code")) or "TGS-4XX - Simulated failure")]
            make = (
                tpg_error(status, message, details)
                if request.endpoint.dialect == "tpg"
                else course_error(status, details, message)
            )
            app = caller.certificate_app(self.world, request.scope, request.headers)
            return await self._send(
                request,
                200,
                wire.write_body(make.reply, request.endpoint, app.key if app else key, settings),
                {},
            )
        if kind == "non_json":
            content = text(params.get("content_type")) or "text/html; charset=utf-8"
            return await self._send(
                request,
                int(params.get("status", 200)),
                text(params.get("body")).encode() or HTML,
                {"content-type": content},
            )
        if reply is None:
            reply = Reply(200, {"status": 200, "data": {}, "meta": {}, "error": {}})
        if kind == "wrong_encryption":
            body = cipher.encrypt(OTHER_KEY, json.dumps(reply.body)).encode()
            return await self._send(request, reply.status, body, {})
        body = wire.write_body(reply, request.endpoint, key, settings)
        half = body[: max(1, len(body) // 2)]
        if params.get("close", True) is False:  # well-formed HTTP around half a body
            return await self._send(request, reply.status, half, {})
        await self._start(request, reply.status, len(body), {})
        await request.send({"type": "http.response.body", "body": half, "more_body": True})
        connections.finish(request.scope)
        await request.receive()
        return reply.status

    async def _start(self, request: Request, status: int, length: int, headers: dict[str, str]) -> None:
        shown = {"content-type": "application/json", **headers, "content-length": str(length)}
        await request.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(k.encode(), v.encode()) for k, v in shown.items()],
            }
        )

    async def _send(self, request: Request, status: int, body: bytes, headers: dict[str, str]) -> int:
        await self._start(request, status, len(body), headers)
        await request.send({"type": "http.response.body", "body": body})
        return status

    async def _pause(self, request: Request, seconds: float) -> None:
        """Wait, but not past the end of the simulator or of the client."""
        gone = asyncio.ensure_future(request.receive())
        stop = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({gone, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        stop.cancel()


def _action(body: Any) -> Any:
    """The action of an edit, update or cancel body, under whichever root (ssg-api 4.2, 4.8, 6.2, 7.2)."""
    for path in ("enrolment.action", "assessment.action", "course.run.action", "trainer.action"):
        found = dig(body, path)
        if found:
            return found
    return ""


def _lenient(settings: Settings) -> Settings:
    """The same switches without the rules that refuse a duplicate."""
    changed = Settings()
    changed.update(settings.as_json())
    changed.update(
        {
            "strict_duplicate_runs": False,
            "strict_duplicate_enrolments": False,
            "strict_unique_assessments": False,
        }
    )
    return changed
