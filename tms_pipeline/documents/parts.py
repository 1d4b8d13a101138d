"""The generated parts by name: what stands between ``begin generated`` and ``end generated`` in a document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tms_pipeline.documents import facts
from tms_pipeline.documents.columns import columns_of, record_kinds
from tms_pipeline.documents.promises import promises
from tms_pipeline.documents.settings import settings_table
from tms_pipeline.documents.verbs import verbs_reference
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.settings import PROJECT_ROOT


def part(name: str, root: Path = PROJECT_ROOT) -> str | None:
    """The text of a generated part, without its marks; None for a name that nothing makes."""
    if name.startswith("columns of "):
        try:
            return columns_of(kind_named(name.removeprefix("columns of ").replace(" ", "_")))
        except KeyError:
            return None
    maker = _MAKERS.get(name)
    return maker(root) if maker else None


def _runbook() -> Any:
    from tms_pipeline.health import runbook

    return runbook


_MAKERS: dict[str, Callable[[Path], str]] = {
    "matrix of roles": lambda _: facts.matrix_of_roles(),
    "purposes of opening": lambda _: facts.purposes(),
    "settings": settings_table,
    "verbs": lambda _: verbs_reference(),
    "mappings": facts.mappings,
    "deadlines": facts.deadlines,
    "standards": facts.standards,
    "states": lambda _: facts.states(),
    "crash points": lambda _: facts.crash_points(),
    "record kinds": lambda _: record_kinds(),
    "promises": promises,
    "discrepancy classes": lambda _: facts.classes(),
    "standings": lambda _: facts.standings(),
    "alerts": lambda root: _runbook().alerts_table(root),
    "alarm topics": lambda root: _runbook().alarms_table(root),
    "error codes": lambda root: _runbook().codes_table(root),
    "metrics": lambda root: _runbook().metrics_table(root),
}
