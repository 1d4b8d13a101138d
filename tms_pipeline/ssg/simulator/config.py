"""How one simulator is set up: apps, courses, ports, files (docs/simulator.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from . import cipher
from .calls import App
from .envelopes import Json
from .fields import text

DEFAULT_UEN = "201912345K"
DEFAULT_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # the vector key of ssg-api 2.3: never a secret
DEFAULT_NAME = "EXAMPLE ACADEMY PTE. LTD."

EXAMPLE_COURSES: list[Json] = [
    {"referenceNumber": "TGS-2024000101", "title": "Food Hygiene for Hawkers", "trainingCost": 180.0},
    {
        "referenceNumber": "TGS-2024000102",
        "title": "Wok Skills and Kitchen Safety",
        "trainingCost": 640.0,
        "skillCodes": ["FNB-COK-2011-1.1", "FNB-WSH-1004-1.1"],
    },
    {
        "referenceNumber": "TGS-2024000103",
        "title": "Digital Payments for Stall Owners",
        "trainingCost": 320.0,
        "skillCodes": ["RET-DIG-3002-1.1"],
    },
    {
        "referenceNumber": "TGS-2024000104",
        "title": "Running a Stall: Costing and Cash Flow",
        "trainingCost": 900.0,
        "support": [],
    },
    {
        "referenceNumber": "PA-EXAMPLE-01-Cooking @ Home 7",
        "externalReferenceNumber": "TGS-2019000105",
        "title": "Cooking @ Home",
        "trainingCost": 60.0,
    },
    {"referenceNumber": "TGS-2018000106", "title": "Stall Management (old syllabus)", "expireFlag": True},
]


class ConfigError(ValueError):
    """A setting that makes no sense, in one plain sentence."""


@dataclass(slots=True)
class Config:
    """Everything that a simulator is started with."""

    host: str = "127.0.0.1"
    port: int = 0
    public_port: int = 0
    apps: list[App] = field(default_factory=list)
    data: Json = field(default_factory=dict)
    faults: Any = field(default_factory=list)
    seed: str = "0"
    tls_dir: Path | None = None
    state_file: Path | None = None
    ready_file: Path | None = None


def read_document(path: Path) -> Any:
    """A JSON or YAML file."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if path.suffix.lower() in (".yaml", ".yml"):
        import yaml  # only when needed: start-up time

        try:
            return yaml.safe_load(content)
        except yaml.YAMLError as error:
            raise ConfigError(f"{path} is not YAML") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error


def loopback(host: str) -> str:
    """The host when it is this machine only; anything else is refused."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise ConfigError(f"the simulator listens on loopback only, not on {host}")


def parse_app(entry: Any, base: Path | None = None) -> App:
    """One app of the data file: uen, key, name, and optionally subscriptions, credentials, certificate."""
    if not isinstance(entry, dict) or not text(entry.get("uen")):
        raise ConfigError("an app needs a uen")
    uen = text(entry["uen"])
    try:
        key = cipher.decode_key(text(entry.get("key")) or DEFAULT_KEY)
    except ValueError as error:
        raise ConfigError(f"app {uen}: {error}") from error
    subscriptions = entry.get("subscriptions", ["*"])
    if not isinstance(subscriptions, list):
        raise ConfigError(f"app {uen}: subscriptions is a list of endpoint names, * allowed")
    certificate = text(entry.get("certificate"))
    if certificate and base is not None:
        certificate = str(base / certificate)
    prints = entry.get("fingerprints") or []
    return App(
        uen=uen,
        key=key,
        name=text(entry.get("name")) or DEFAULT_NAME,
        code=text(entry.get("code")) or f"{uen}-01",
        subscriptions=tuple(str(name) for name in subscriptions),
        client_id=text(entry.get("clientId")) or f"sim-client-{uen}",
        client_secret=text(entry.get("clientSecret")) or "sim-secret",
        fingerprints=tuple(text(p).lower().replace(":", "") for p in prints),
        certificate=certificate,
    )


def load(data_file: Path | None = None, uen: str = "", key: str = "", **more: Any) -> Config:
    """A Config from a data file and/or a UEN and key; without courses, the example ones."""
    data = read_document(data_file) if data_file else {}
    if not isinstance(data, dict):
        raise ConfigError(f"{data_file} must hold an object")
    apps = [parse_app(entry, data_file.parent if data_file else None) for entry in data.get("apps") or []]
    if uen or not apps:
        wanted = uen or DEFAULT_UEN
        named = next((app for app in apps if app.uen == wanted), None)
        made = named or parse_app({"uen": wanted, "key": key or DEFAULT_KEY})
        if named and key:
            named.key = parse_app({"uen": wanted, "key": key}).key
        apps = [made, *(app for app in apps if app is not made)]
    elif key:
        apps[0].key = parse_app({"uen": apps[0].uen, "key": key}).key
    if len({app.uen for app in apps}) != len(apps):
        raise ConfigError("two apps have the same uen")
    if not data.get("courses"):
        data = {**data, "courses": EXAMPLE_COURSES}
    config = Config(apps=apps, data=data, **more)
    config.host = loopback(config.host)
    return config
