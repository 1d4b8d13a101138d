"""Tracebacks without values: where it broke, in which error, and nothing of what it broke on.

A library's error quotes what it choked on: a name, a parameter, a line of a COPY. No pattern finds a name, so the text
of an error that is not ours is cut by what is known of the library, and whatever stands in quotes is masked.
"""

from __future__ import annotations

import re
import traceback
from types import TracebackType

from tms_pipeline.identity.masking import redact

_OURS = ("tms_pipeline.", "assets.", "sensors.")
_QUOTED = re.compile(r"(?<![A-Za-z0-9])'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_URL = re.compile(r"(https?://)(?:[^/\s@'\"]*@)?([^/\s'\"?#]+)[^\s'\"]*")
_SECRET_URL = re.compile(r"\b([a-z][a-z0-9+]*://)[^/\s@'\"]*@")
_DETAIL = re.compile(
    r"(?m)^\s*(DETAIL|CONTEXT|QUERY|PARAMETERS|LINE \d+|\[SQL|\[parameters|\[generated|\[cached|INPUT).*", re.S
)


def mask(text: str) -> str:
    """The text of a library: first lines only, nothing in quotes, addresses by host, no identifier."""
    short = _DETAIL.sub("", text)
    return redact(_QUOTED.sub("'…'", _SECRET_URL.sub(r"\1", _URL.sub(r"\1\2/…", short)))).strip()


def told(error: BaseException) -> str:
    """One line for an error: its type and as much of its text as holds no value."""
    name = type(error).__qualname__
    module = type(error).__module__
    if module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    if f"{module}.".startswith(_OURS):
        return f"{name}: {redact(_SECRET_URL.sub(chr(92) + '1', str(error)))}"
    state = getattr(error, "sqlstate", None)
    if state is not None or module.startswith(("psycopg", "psycopg2")):
        facts = getattr(error, "diag", None)
        parts = [f"SQLSTATE {state or getattr(error, 'pgcode', None) or 'unknown'}"]
        for attribute in ("schema_name", "table_name", "column_name", "constraint_name"):
            value = getattr(facts, attribute, None)
            if value:
                parts.append(f"{attribute.removesuffix('_name')} {value}")
        return f"{name}: {', '.join(parts)}"
    if module.startswith(("pydantic", "pandera")):
        return f"{name}: {_places(error)}"
    return f"{name}: {mask(str(error))}"


def _places(error: BaseException) -> str:
    """Where a validation failed, without what stood there."""
    try:
        found = error.errors(include_input=False, include_url=False)  # type: ignore[attr-defined]
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['type']}" for item in found[:10])
    except Exception:  # another library's, or another version's form
        return "what failed is not told, as it may hold a value"


def render(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> str:
    """A traceback with its causes: files, lines and functions, and each error as ``told`` says it."""
    if error is None:
        return ""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    link = ""
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        where = (trace if current is error else None) or current.__traceback__
        frames = "".join(traceback.format_tb(where))
        inner = "".join(f"\n  | {told(one)}" for one in getattr(current, "exceptions", ())[:10])
        parts.append(f"Traceback:\n{frames}{told(current)}{inner}{link}")
        if current.__cause__ is not None:
            current, link = current.__cause__, "\n\nwas caused by the above:\n"
        elif current.__context__ is not None and not current.__suppress_context__:
            current, link = current.__context__, "\n\nhappened while the above was handled:\n"
        else:
            current = None
    return "\n".join(reversed(parts)).rstrip()
