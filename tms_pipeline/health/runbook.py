"""The runbook's index: which page belongs to which alarm, alert, metric and error code. Pages are made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tms_pipeline.settings import PROJECT_ROOT

#: Alarms of the pipeline (tms_pipeline/alarms/alarm.py) by topic: severity, and the page that helps.
OF_TOPICS = {
    "deadlines": ("P2 missed, P3 near", "deadlines"),
    "dead letters": ("P3", "dead-letters"),
    "queue": ("P2", "queue-stuck"),
    "rejected rows": ("P4", "rejected-rows"),
    "sources": ("P4", "sources"),
    "ssg": ("P3", "ssg-down"),
    "runs": ("P3", "runs-failed"),
    "nights": ("P2", "night-missed"),
}


def alerts() -> list[dict[str, Any]]:
    """The alert rules that ship with the project."""
    found = yaml.safe_load((PROJECT_ROOT / "deploy" / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def alerts_table(_: Path) -> str:
    """Every alert with its severity and page."""
    lines = ["| Alert | Severity | What it says | Page |", "|---|---|---|---|"]
    for rule in sorted(alerts(), key=lambda rule: (rule["labels"]["severity"], rule["alert"])):
        page = Path(rule["annotations"]["runbook_url"]).name
        said = rule["annotations"]["summary"].replace("{{ $value }}", "N").replace("{{ $labels.", "").replace(" }}", "")
        words = {"{{ $value | ": "", "humanizeDuration": "so long", "humanizePercentage": "So many"}
        for written, shown in words.items():
            said = said.replace(written, shown)
        said = said.replace("humanize1024", "N ")
        lines.append(
            f"| `{rule['alert']}` | {rule['labels']['severity']} | {said} | [{page.removesuffix('.md')}]({page}) |"
        )
    return "\n".join(lines)


def alarms_table(_: Path) -> str:
    """Every topic of the pipeline's own alarms with its page."""
    from tms_pipeline.alarms.alarm import TOPICS

    lines = ["| Alarm | Severity | What it is about | Page |", "|---|---|---|---|"]
    for topic, about in TOPICS.items():
        severity, page = OF_TOPICS[topic]
        lines.append(f"| {topic} | {severity} | {about} | [{page}]({page}.md) |")
    return "\n".join(lines)


def codes_table(_: Path) -> str:
    """Every error code of SSG's and of sheets, as links to their pages."""
    from tms_pipeline.records.fault import catalogue
    from tms_pipeline.ssg.errors import error_table

    ours = ", ".join(f"[{code}](../errors/{code}.md)" for code in sorted(catalogue()))
    theirs = ", ".join(f"[{code}](../errors/{code.lower()}.md)" for code in sorted(row.id for row in error_table()))
    return f"**SSG and the way to it:** {theirs}\n\n**Rows and files:** {ours}"


def metrics_table(_: Path) -> str:
    """Every metric with what it counts."""
    from tms_pipeline.metrics.measures import MEASURES

    lines = ["| Metric | Type | Labels | What it counts |", "|---|---|---|---|"]
    for measure in MEASURES.values():
        labels = ", ".join(f"`{label}`" for label in measure.labels)
        lines.append(f"| `{measure.name}` | {measure.type} | {labels} | {measure.about} |")
    return "\n".join(lines)
