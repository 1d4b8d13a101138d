"""What ``tms reconcile`` prints: counts, lines, what the reads cost, grants, and the trend."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tms_pipeline.cli.output import say

SHOWN = 40


_NAMES = ("class", "kind", "key", "ssg_ref", "field", "ours", "theirs", "changed_by", "since", "what_to_do")


def lines(connection: Any, review: int, *, first: int | None = None) -> Iterator[dict[str, Any]]:
    """The lines of a review, those first that need a person; streamed, as there can be a million."""
    from tms_pipeline.store.queries import query

    with connection.cursor(name="reconcile_lines") as cursor:
        cursor.itersize = 1000
        cursor.execute(query("reconcile/lines"), {"review": review, "first": first})
        for line in cursor:
            yield dict(zip(_NAMES, line, strict=True))


def print_json(shown: dict[str, Any], found: Iterable[dict[str, Any]]) -> None:
    """One JSON object, with the lines as its last member, written as they come."""
    head = json.dumps(shown, indent=2, default=str, ensure_ascii=False)
    sys.stdout.write(head.removesuffix("\n}") + ',\n  "lines": [')
    for number, line in enumerate(found):
        sys.stdout.write((",\n    " if number else "\n    ") + json.dumps(line, default=str, ensure_ascii=False))
    sys.stdout.write("\n  ]\n}\n")


def facts(connection: Any, found: dict[str, Any], costs: list[dict[str, Any]], today: Any) -> dict[str, Any]:
    """Everything about a review that the verb shows but for its lines, with plain names."""
    from tms_pipeline.mirror.grants import grant_totals
    from tms_pipeline.reconcile.trend import trend

    count = connection.execute(
        "SELECT count(*) FROM finding.discrepancy WHERE review_id = %s", (found["review_id"],)
    ).fetchone()
    return {
        **found["counts"],
        "review": found["review_id"],
        "line_count": count[0],
        "reads": costs,
        "grants": grant_totals(connection),
        "trend": [
            {"day": line.day, "comparison": line.comparison, "kind": line.kind, "class": line.class_,
             "records": line.records}
            for line in trend(connection, today=today)
            if line.class_ != "matched"
        ],
    }


def say_facts(shown: dict[str, Any], first: Iterable[dict[str, Any]]) -> None:
    """The same in words."""
    say(f"Matched: {sum(shown['matched'].values())} records.")
    for name, kinds in shown["discrepancies"].items():
        say(f"{name}: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.items()))
    if not shown["discrepancies"]:
        say("No discrepancies.")
    for kind, count in shown["resolved"].items():
        say(f"resolved by a person: {count} {kind.replace('_', ' ')}")
    sheets = {name: count for name, count in shown["sheets"].items() if name != "matched"}
    say(
        f"Sheets of the last 30 days: {shown['sheets']['matched']} rows are in the registers"
        + "".join(f", {count} {name}" for name, count in sheets.items()) + "."
    )
    for line in first:
        named = (line["kind"].replace("_", " "), line["key"], line["ssg_ref"])
        what = f"  {line['class']}: " + " ".join(part for part in named if part)
        if line["field"] or line["theirs"]:
            what += f", {line['field'] or 'it'}: ours {line['ours'] or '-'}, theirs {line['theirs'] or '-'}"
        say(what + f" ({line['changed_by'] or 'not known who'}, since {_moment(line['since'])})")
    if shown["line_count"] > SHOWN:
        say(f"  … {shown['line_count'] - SHOWN} more; --json and the reconciliation workbook show all.")
    for standing, line in shown["grants"].items():
        say(
            f"grants {standing}: {line['lines']}, estimated {line['estimated']:,.2f}, paid {line['paid']:,.2f}"
            + (f", recovered {line['recovery']:,.2f}" if line["recovery"] else "")
            + (f". {line['sentence']}" if "sentence" in line else "")
        )
    calls = sum(line["calls"] for line in shown["reads"] if line["kind"] != "fee")  # they come with the enrolments
    say(f"Reading cost {calls} calls:")
    for line in shown["reads"]:
        unread = f", {line['not_read']} of {line['scopes']} not read" if line["not_read"] else ""
        say(
            f"  {line['kind'].replace('_', ' ')} ({line['read']}): {line['records']} records, {line['pages']} pages, "
            f"{line['bytes'] / 1024:.0f} KiB, {line['seconds']:.1f} s{unread}"
        )


def _moment(value: datetime) -> str:
    """A moment as a reviewer's clock shows it."""
    return f"{value.astimezone(ZoneInfo('Asia/Singapore')):%Y-%m-%d %H:%M}"
