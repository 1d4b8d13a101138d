"""The rules of one installation: those of the project, with the provider's own laid over them (TMS_RULES)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tms_pipeline.compliance.rules import Rule, RuleError, load_rules, overlay_files
from tms_pipeline.settings import Settings


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """The rules in use; an overlay that was changed is read again. Raises RuleError with one sentence."""
    overlay = settings.rules
    if overlay is None:
        return _loaded(None, ())
    path = overlay.expanduser()
    try:
        stamp = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in overlay_files(path))
    except OSError:
        raise RuleError(f"TMS_RULES names {path}, which cannot be read; correct the path or its rights.") from None
    return _loaded(path, stamp)


@lru_cache(maxsize=8)
def _loaded(overlay: Path | None, stamp: tuple[tuple[str, int, int], ...]) -> tuple[Rule, ...]:
    return load_rules(overlay=overlay)
