"""The page at `/`: what the simulator holds, its last calls and its faults, for a person to look at."""

from __future__ import annotations

from html import escape
from typing import Any

from . import grants
from .clock import local_text
from .gateway import Gateway
from .settings import Settings

STYLE = """
:root{color-scheme:light dark;--line:#8886;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:80rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.875rem}caption{text-align:left;padding:.25rem 0}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
thead th{background:var(--soft)}.scroll{overflow-x:auto}
ul.counts{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none}
ul.counts li{border:1px solid var(--line);border-radius:.4rem;padding:.25rem .75rem}
ul.counts b{font-size:1.2rem}a:focus,summary:focus,.scroll:focus{outline:3px solid Highlight}
"""
COLUMNS: dict[str, tuple[str, ...]] = {
    "courses": ("referenceNumber", "title", "uen", "trainingCost", "skillCodes"),
    "runs": ("id", "course", "start", "end", "modeOfTraining", "vacancy", "deleted"),
    "sessions": ("id", "startDate", "startTime", "endTime", "modeOfTraining", "attendanceTaken", "deleted"),
    "trainers": ("id", "name", "email", "idNumber"),
    "attendance": ("id", "sessionId", "traineeId", "name", "statusCode", "entryMode", "editedByTP"),
    "enrolments": (
        "referenceNumber",
        "status",
        "course",
        "runId",
        "traineeId",
        "fullName",
        "sponsorship",
        "collection",
    ),
    "assessments": (
        "referenceNumber",
        "result",
        "score",
        "grade",
        "course",
        "runId",
        "traineeId",
        "skillCode",
    ),
    "grants": ("referenceNumber", "status", "enrolment", "scheme", "estimated", "paid"),
    "claims": ("id", "status", "nric", "amount", "date"),
}
ROWS = 50
SETTINGS = Settings().as_json()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return escape("yes" if value is True else "no" if value is False else "" if value is None else str(value))


def table(caption: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    """A captioned table with column headings."""
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def render(gateway: Gateway) -> str:
    """The whole page, without anything from elsewhere."""
    world, store = gateway.world, gateway.world.store
    grants.settle(world)
    counts = "".join(
        f'<li><a href="#{kind}"><b>{len(store.kinds[kind])}</b> {kind}</a></li>' for kind in COLUMNS
    )
    apps = table(
        "Apps", ("uen", "name", "code"), [{"uen": a.uen, "name": a.name, "code": a.code} for a in world.apps]
    )
    faults = table(
        "Faults armed",
        ("id", "endpoint", "kind", "on_call", "every", "probability", "times", "seen", "fired"),
        [fault.as_json() for fault in gateway.faults.armed],
    )
    calls = [
        {**c, "faults": c["faults"], "correlation": ", ".join(c["correlation"].values())}
        for c in list(gateway.calls)[-ROWS:][::-1]
    ]
    last = table(
        "Last calls, newest first",
        ("at", "endpoint", "status", "ms", "wrote", "faults", "correlation"),
        calls,
    )
    records = "".join(
        f'<h2 id="{kind}">{kind.capitalize()}</h2>'
        + table(
            f"{min(ROWS, len(store.kinds[kind]))} of {len(store.kinds[kind])} {kind}, newest first",
            columns,
            store.all(kind)[-ROWS:][::-1],
        )
        for kind, columns in COLUMNS.items()
    )
    changed = {name: value for name, value in world.settings.as_json().items() if value != SETTINGS[name]}
    switches = table(
        "Switches that differ from their default",
        ("name", "value"),
        [{"name": name, "value": value} for name, value in changed.items()],
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>SSG simulator</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>SSG simulator</h1><p>A stand-in for SkillsFuture Singapore's TPGateway."
        " Nothing here is real."
        f" Simulated time in Singapore: {escape(local_text(world.clock.now()))}."
        f' <a href="/openapi.json">OpenAPI document</a>.</p><ul class="counts">{counts}</ul>'
        f"<h2>Set-up</h2>{apps}{switches}<h2>Faults</h2>{faults}<h2>Calls</h2>{last}"
        f"{records}</main></body></html>"
    )
