"""The control API under /_control: loopback only, plain JSON (docs/simulator.md)."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import clock as clocks
from . import credit, elsewhere, grants, seeds
from .config import Config
from .envelopes import Json, Refusal
from .fields import text, whole
from .gateway import Gateway
from .settings import Settings
from .store import SHOWN

HOSTS = {"localhost", "127.0.0.1", "::1", "[::1]"}


def answer(body: Any, status: int = 200) -> Response:
    """Plain ASCII JSON: records may hold texts that UTF-8 cannot carry."""
    return Response(json.dumps(body), status, media_type="application/json")


def host_of(header: str) -> str:
    """The name part of a Host header."""
    return header.rpartition("]")[0] + "]" if header.startswith("[") else header.partition(":")[0]


class Control:
    """Looks at and changes what the simulated SSG holds."""

    def __init__(self, gateway: Gateway, config: Config) -> None:
        self.gateway = gateway
        self.world = gateway.world
        self.config = config
        # What was kept under a name: records are replaced and never changed in place, so this costs a dictionary.
        self.kept: dict[str, dict[str, dict[str, Json]]] = {}

    def routes(self) -> list[Route]:
        """All control routes."""
        table: list[tuple[str, str, Any]] = [
            ("GET", "health", self.health),
            ("GET", "state", self.state),
            ("GET", "counts", self.counts),
            ("GET", "calls", self.calls),
            ("DELETE", "calls", self.forget_calls),
            ("GET", "faults", self.show_faults),
            ("POST", "faults", self.arm),
            ("DELETE", "faults", self.disarm),
            ("GET", "clock", self.show_clock),
            ("POST", "clock", self.set_clock),
            ("GET", "settings", self.show_settings),
            ("POST", "settings", self.change_settings),
            ("POST", "reset", self.reset),
            ("POST", "keep", self.keep),
            ("POST", "put-back", self.put_back),
            ("POST", "seed", self.seed),
            ("POST", "edit", self.edit),
            ("POST", "sfc-payment", self.pay),
        ]
        return [
            Route(f"/_control/{name}", self._guarded(act), methods=[method]) for method, name, act in table
        ]

    def _guarded(self, act: Any) -> Any:
        async def run(request: Request) -> Response:
            if refused := refuse_stranger(request):
                return refused
            body: Any = {}
            if request.method in ("POST", "DELETE") and (raw := await request.body()):
                try:
                    body = json.loads(raw)
                except (ValueError, RecursionError):
                    return answer({"error": "the body is not JSON"}, 400)
            try:
                return answer(act(request.query_params, body))
            except LookupError as error:
                return answer({"error": str(error.args[0] if error.args else error)}, 404)
            except (ValueError, TypeError, OverflowError, AttributeError) as error:
                return answer({"error": str(error)}, 400)
            except Refusal as refusal:
                return answer({"error": refusal.reply.body}, 400)

        return run

    # Looking
    def health(self, query: Any, body: Any) -> Json:
        """It is up, whose key it has, and what time it thinks it is."""
        return {
            "status": "ok",
            "uens": [app.uen for app in self.world.apps],
            "seed": self.world.seed,
            **self.show_clock(query, body),
        }

    def state(self, query: Any, body: Any) -> Json:
        """All records by kind, unmasked (simulated people only); ?kind= for one kind."""
        grants.settle(self.world)
        kind = query.get("kind", "")
        if kind and kind not in SHOWN:
            raise ValueError(f"unknown kind {kind!r}; known: {', '.join(SHOWN)}")
        return {name: self.world.store.all(name) for name in ([kind] if kind else SHOWN)}

    def counts(self, query: Any, body: Any) -> Json:
        """How many records of each kind, and live ones where records can end."""
        grants.settle(self.world)
        store = self.world.store
        totals = {kind: len(store.kinds[kind]) for kind in SHOWN}
        live = {
            "runs": sum(not r["deleted"] for r in store.all("runs")),
            "sessions": sum(not s["deleted"] for s in store.all("sessions")),
            "enrolments": sum(e["status"] == "Confirmed" for e in store.all("enrolments")),
            "assessments": sum(not a["voided"] for a in store.all("assessments")),
        }
        return {
            "records": totals,
            "live": live,
            "calls": dict(self.gateway.counts),
            "writes": dict(self.gateway.writes),
        }

    def calls(self, query: Any, body: Any) -> Json:
        """The last calls, newest first, without bodies; ?limit= and ?endpoint=."""
        limit = whole(query.get("limit", "100"))
        if limit is None or limit < 0:
            raise ValueError("limit takes a whole number from 0")
        wanted = query.get("endpoint", "")
        found = [c for c in reversed(self.gateway.calls) if not wanted or c["endpoint"] == wanted]
        return {
            "calls": found[:limit],
            "counts": dict(self.gateway.counts),
            "writes": dict(self.gateway.writes),
        }

    def forget_calls(self, query: Any, body: Any) -> Json:
        """Start counting calls again."""
        self.gateway.calls.clear()
        self.gateway.counts.clear()
        self.gateway.writes.clear()
        return {"calls": []}

    # Faults
    def show_faults(self, query: Any, body: Any) -> Json:
        """The faults that are armed, with how often they matched and struck."""
        return {"faults": [fault.as_json() for fault in self.gateway.faults.armed]}

    def arm(self, query: Any, body: Any) -> Json:
        """Arm one fault, a list, or {"faults": [...]}."""
        return {"armed": [fault.as_json() for fault in self.gateway.faults.arm(body)]}

    def disarm(self, query: Any, body: Any) -> Json:
        """Disarm all faults, or the one of ?id=."""
        return {"disarmed": self.gateway.faults.disarm(query.get("id", ""))}

    # Clock and settings
    def show_clock(self, query: Any, body: Any) -> Json:
        """Simulated now, in both forms."""
        clock = self.world.clock
        return {
            "now": clocks.iso_utc(clock.now()),
            "local": clocks.local_text(clock.now()),
            "frozen": clock.frozen_at is not None,
            "offset_seconds": round(clock.offset, 3),
        }

    def set_clock(self, query: Any, body: Any) -> Json:
        """{"advance_seconds": n}, {"set": iso or epoch}, {"frozen": bool}, {"reset": true}; they combine."""
        clock = self.world.clock
        if not isinstance(body, dict) or not set(body) & {"advance_seconds", "set", "reset", "frozen"}:
            raise ValueError("give advance_seconds, set, frozen or reset")
        moved = clocks.Clock(clock.offset, clock.frozen_at)
        if body.get("reset"):
            moved.reset()
        if "set" in body:
            moved.set(clocks.parse_moment(body["set"]))
        if "frozen" in body:
            moved.freeze(body["frozen"] is True)
        if "advance_seconds" in body:
            moved.advance(float(body["advance_seconds"]))
        if not 0 <= moved.now() < 253370000000:
            raise ValueError("the clock runs from 1970 to 9998")
        clock.offset, clock.frozen_at = moved.offset, moved.frozen_at
        self.world.store.put("control", "clock", {"offset": clock.offset, "frozen_at": clock.frozen_at})
        return self.show_clock(query, body)

    def show_settings(self, query: Any, body: Any) -> Json:
        """All switches."""
        return self.world.settings.as_json()

    def change_settings(self, query: Any, body: Any) -> Json:
        """Change switches by name."""
        if not isinstance(body, dict):
            raise ValueError("give an object of settings")
        self.world.settings.update(body)
        self.world.store.put("control", "settings", self.world.settings.as_json())
        return self.world.settings.as_json()

    # Changing
    def reset(self, query: Any, body: Any) -> Json:
        """As at a first start: data file, faults file, default settings, real clock, no calls."""
        world = self.world
        world.store.clear()
        world.clock.reset()
        world.tokens.clear()
        world.settings.update(Settings().as_json())
        world.settings.update(self.config.data.get("settings") or {})
        seeds.furnish(world, self.config.data)
        self.gateway.faults.disarm()
        self.gateway.faults.arm(self.config.faults)
        self.forget_calls(query, body)
        return self.counts(query, body)

    def keep(self, query: Any, body: Any) -> Json:
        """{"name"}: remember all records as they are now, until the simulator ends."""
        grants.settle(self.world)
        self.kept[_name_in(body)] = {kind: dict(records) for kind, records in self.world.store.kinds.items()}
        return self.counts(query, body)

    def put_back(self, query: Any, body: Any) -> Json:
        """{"name"}: all records as they were when they were kept; no faults, no calls. Clock and settings stay."""
        name, store = _name_in(body), self.world.store
        if name not in self.kept:
            raise LookupError(f"nothing was kept under the name {name!r}")
        with store.transaction():
            store.clear()
            for kind, records in self.kept[name].items():
                for key, record in records.items():
                    store.put(kind, key, record)
        self.gateway.faults.disarm()
        self.forget_calls(query, body)
        return self.counts(query, body)

    def seed(self, query: Any, body: Any) -> Json:
        """Add records in the form of the data file."""
        if not isinstance(body, dict):
            raise ValueError("give an object with lists of records")
        return {"added": seeds.plant(self.world, body)}

    def edit(self, query: Any, body: Any) -> Json:
        """{"kind", "key", "action": set|cancel|delete|duplicate, "set": {}}: behind the client's back.

        A duplicate may differ in what is set, so that a record can be added there as well.
        """
        if not isinstance(body, dict):
            raise ValueError("give kind, key and action")
        kind, key, action = text(body.get("kind")), text(body.get("key")), text(body.get("action")) or "set"
        if action == "set":
            if not isinstance(body.get("set"), dict) or not body["set"]:
                raise ValueError("give the fields to set")
            return {"record": elsewhere.change(self.world, kind, key, body["set"])}
        if action == "cancel":
            return {"record": elsewhere.cancel(self.world, kind, key)}
        if action == "duplicate":
            return {"record": elsewhere.duplicate(self.world, kind, key, body.get("set"))}
        if action == "delete":
            elsewhere.delete(self.world, kind, key)
            return {"record": None}
        raise ValueError("action is set, cancel, delete or duplicate")

    def pay(self, query: Any, body: Any) -> Json:
        """The learner's side of an SFC claim: {"claimRequest": text, "amount"?, "uen"?} (ssg-api 8.3)."""
        app = self.world.app_of(text(body.get("uen"))) if body.get("uen") else self.world.apps[0]
        if app is None:
            raise LookupError("no app has this UEN")
        return {
            "claimRequestStatus": credit.pay(self.world, app, body.get("claimRequest"), body.get("amount"))
        }


def _name_in(body: Any) -> str:
    if not isinstance(body, dict) or not text(body.get("name")):
        raise ValueError("give a name")
    return text(body["name"])


def refuse_stranger(request: Request) -> Response | None:
    """Only this machine's names, and no page of another site (DNS rebinding, cross-site posts)."""
    origin = request.headers.get("origin", "")
    named = host_of(request.headers.get("host", "")) in HOSTS
    own = not origin or host_of(origin.partition("://")[2]) in HOSTS
    client = request.client.host if request.client else ""
    if named and own and (client in ("::1", "testclient") or client.startswith("127.")):
        return None
    return answer({"error": "this page answers on loopback only"}, 403)
