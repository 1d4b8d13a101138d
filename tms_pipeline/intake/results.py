"""Results: what became of an upload, rebuilt from landing rows and rejections, and handed back to ops."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from tms_pipeline.audit.log import Actor
from tms_pipeline.intake import landing
from tms_pipeline.intake.result_workbook import write_result_workbook
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import Taken
from tms_pipeline.intake.upload_result import ResultRow, ResultTable, RowStatus, UploadResult
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.kinds import KINDS, kind_named
from tms_pipeline.registers.upsert import changes_of_upload
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

_Row = tuple[str, int]  # sheet, row
_COUNTS = ("rows", "accepted", "unchanged", "rejected", "superseded")


@dataclass(frozen=True)
class HandedBack:
    """Where the result of an upload lies."""

    workbook: Path
    page: Path


def state_of(workplace: Workplace, upload_id: str) -> str:
    """The state of an upload. Raises LookupError for an unknown one."""
    found = workplace.db.value("SELECT state FROM intake.upload WHERE upload_id = %s", (upload_id,))
    if found is None:
        raise LookupError(f"There is no upload {upload_id}; 'tms summary' lists them.")
    return str(found)


def balance_of(workplace: Workplace, upload_id: str) -> dict[str, int]:
    """rows, accepted, unchanged, rejected, superseded: counted from the landing rows, not from what intake said."""
    counted = workplace.db.rows(query("intake/balance"), {"upload_id": upload_id})
    return dict(zip(_COUNTS, counted[0], strict=True))


def faults_by_kind(workplace: Workplace, upload_id: str, taken: Taken | None) -> dict[str, dict[str, int]]:
    """Kind → code → rows, of the errors of an upload. A fault counts for the first kind of its sheet."""
    if taken is not None:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for (number, _), items in taken.evaluation.faults.items():
            for item in items:
                if item.severity == "error":
                    found[taken.tables[number].kinds[0]][item.code] += 1
        return {kind: dict(codes) for kind, codes in found.items()}
    rows = workplace.db.rows(query("intake/faults_by_kind"), {"upload_id": upload_id})
    by_kind: dict[str, dict[str, int]] = defaultdict(dict)
    for kind, code, count in rows:
        by_kind[kind][code] = count
    return dict(by_kind)


def register_counts(workplace: Workplace, kind: str, upload_id: str) -> tuple[int, int]:
    """(rows of a register, rows of it that stand as this upload gave them)."""
    row = workplace.db.rows(query("intake/register_counts", register=f"register.{kind}"), {"upload_id": upload_id})[0]
    return int(row[0]), int(row[1])


def result_of(workplace: Workplace, upload_id: str) -> UploadResult:
    """Everything that ops get told about an upload. Raises LookupError for an unknown one."""
    with workplace.db.transaction() as connection:
        upload = connection.execute(
            "SELECT file_name, received_at, state, sentence, rows, accepted, unchanged, rejected, superseded "
            "FROM intake.upload WHERE upload_id = %s",
            (upload_id,),
        ).fetchone()
        if upload is None:
            raise LookupError(f"There is no upload {upload_id}; 'tms summary' lists them.")
        faults: dict[tuple[str | None, int | None], list[Fault]] = defaultdict(list)
        for sheet, row, column, code, severity, sentence, fix in connection.execute(
            "SELECT sheet, row_number, column_title, code, severity, sentence, fix FROM intake.rejection "
            "WHERE upload_id = %s ORDER BY rejection_id",
            (upload_id,),
        ):
            faults[sheet, row].append(
                Fault(code=code, severity=severity, sentence=sentence, fix=fix, sheet=sheet, row=row, column=column)
            )
        statuses = {
            (number, row): (status, note)
            for number, row, status, note in connection.execute(
                "SELECT table_no, row_number, status, note FROM intake.landing_row WHERE upload_id = %s", (upload_id,)
            )
        }
        kinds = dict(
            connection.execute(
                "SELECT table_no, kinds FROM intake.landing_table WHERE upload_id = %s", (upload_id,)
            ).fetchall()
        )
        made, changes = _changes(connection, upload_id, {kind for found in kinds.values() for kind in found})
        tables = []
        told: set[tuple[str | None, int | None]] = set()
        for number, grid, _ in landing.landed(connection, workplace.rings, upload_id):
            header_row, headings = grid.rows[0]
            tables.append(
                ResultTable(
                    sheet=grid.sheet,
                    kinds=tuple(kinds[number]),
                    header_row=header_row,
                    headings=[str(heading) for heading in headings],
                    rows=[
                        ResultRow(
                            row=row,
                            cells=cells,
                            status=statuses[number, row][0],
                            note=statuses[number, row][1],
                            faults=_of_row(faults.get((grid.sheet, row), []), statuses[number, row][0]),
                            made=made.get((grid.sheet, row), ()),
                            changes=changes.get((grid.sheet, row), ()),
                        )
                        for row, cells in grid.rows[1:]
                    ],
                    epoch_1904=grid.epoch_1904,
                )
            )
            told |= {(grid.sheet, row) for row, _ in grid.rows[1:]}
    return UploadResult(
        upload_id=upload_id,
        file_name=upload[0],
        received_at=upload[1].astimezone(workplace.now().tzinfo),
        state=upload[2] if upload[2] in ("taken in", "held", "refused", "undone") else "taken in",
        sentence=upload[3],
        counts=dict(zip(_COUNTS, upload[4:], strict=True)),
        tables=tables,
        file_faults=[item for place, items in faults.items() if place not in told for item in items],
    )


def _of_row(faults: list[Fault], status: str) -> list[Fault]:
    """What is said of a sheet row, in one of the tables that can share it: errors where it was rejected."""
    return faults if status == "rejected" else [item for item in faults if item.severity != "error"]


def _changes(
    connection: Connection, upload_id: str, kinds: Iterable[str]
) -> tuple[dict[_Row, list[str]], dict[_Row, list[tuple[str, str, str]]]]:
    """By sheet and row, the records that were new, and (field title, old, new) of those that changed."""
    made: dict[_Row, list[str]] = defaultdict(list)
    changes: dict[_Row, list[tuple[str, str, str]]] = defaultdict(list)
    for name in sorted(kinds, key=lambda kind: KINDS[kind].order):
        kind = KINDS[name]
        for sheet, row, field, was, becomes in changes_of_upload(connection, kind, upload_id):
            if field is None:
                made[sheet, row].append(kind.title.lower())
            else:
                changes[sheet, row].append((kind.field(field).title, was, becomes))
    return made, changes


def preview_of(workplace: Workplace, taken: Taken, name: str) -> UploadResult:
    """The same for a preview, of which nothing is in Postgres."""
    tables = []
    for number, table in enumerate(taken.tables):
        rows = []
        for row, cells in table.cells.items():
            place = (number, row)
            changes = [
                (
                    kind_named(item.kind).field(item.field).title,
                    *(("", "") if item.becomes == "sealed" else (item.was or "", item.becomes or "")),
                )
                for item in taken.evaluation.changes.get(place, ())
            ]
            rows.append(
                ResultRow(
                    row=row,
                    cells=cells,
                    status=cast(RowStatus, taken.evaluation.statuses[place]),
                    changes=changes,
                    made=[kind_named(name).title.lower() for name in taken.evaluation.made.get(place, ())],
                    faults=taken.evaluation.faults.get(place, []),
                )
            )
        tables.append(
            ResultTable(
                sheet=table.sheet, kinds=table.kinds, header_row=table.header_row, headings=table.headings, rows=rows,
                epoch_1904=table.epoch_1904,
            )
        )
    return UploadResult(
        upload_id=taken.upload_id,
        file_name=name,
        received_at=workplace.now(),
        state="preview",
        sentence=f"Preview, nothing was changed: {taken.sentence}",
        counts=taken.counts(),
        tables=tables,
        file_faults=taken.file_faults,
    )


def hand_back(workplace: Workplace, upload_id: str) -> HandedBack:
    """Write the result workbook and page of an upload into the results folder."""
    return _write(workplace, result_of(workplace, upload_id))


def say_already(workplace: Workplace, upload_id: str) -> HandedBack:
    """Answer the same bytes again: when they were taken in, and by whom they came."""
    result = result_of(workplace, upload_id)
    result.already = already_sentence(workplace, upload_id)
    return _write(workplace, result)


def already_sentence(workplace: Workplace, upload_id: str) -> str:
    """When and by whom these bytes came before."""
    found = workplace.db.rows(
        "SELECT received_by, received_at, state FROM intake.upload WHERE upload_id = %s", (upload_id,)
    )
    who, when, state = found[0]
    when = when.astimezone(workplace.now().tzinfo)
    if state == "held":
        return f"Received on {when:%d %B %Y at %H:%M} already (by {who}) and held since; nothing was taken in."
    if state == "undone":
        return (
            f"Taken in on {when:%d %B %Y at %H:%M} (received by {who}) and taken back since; nothing was taken in now. "
            "If its rows are to count after all, save the file once more in Excel and drop that."
        )
    return f"Already taken in on {when:%d %B %Y at %H:%M} (received by {who}); nothing was sent."


def look_again_and_hand_back(workplace: Workplace, upload_id: str, *, actor: Actor) -> list[HandedBack]:
    """Look again at waiting rows everywhere, and write the results of every upload that moved, this one last."""
    moved = [other for other in look_again(workplace, actor=actor) if other != upload_id]
    return [hand_back(workplace, other) for other in [*moved, upload_id]]


def _write(workplace: Workplace, result: UploadResult) -> HandedBack:
    from tms_pipeline.intake.result_page import write_result_page

    folder = workplace.folder("results")
    stem = re.sub(r"[^\w .()-]", "_", Path(result.file_name).stem)[:60].strip() or "upload"
    paths = HandedBack(folder / f"{stem} - result {result.upload_id}.xlsx", folder / f"{result.upload_id}.html")
    write_result_workbook(result, paths.workbook)
    write_result_page(result, paths.page)
    for path in (paths.workbook, paths.page):
        path.chmod(0o600)
    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE intake.upload SET result_path = %s WHERE upload_id = %s",
            (paths.workbook.name, result.upload_id),
        )
    return paths


def remove_old(workplace: Workplace) -> int:
    """Remove result files older than the settings allow; returns how many. They hold ops' own cells.

    Those of a file that named somebody under a legal hold stay.
    """
    before = (workplace.now() - timedelta(days=workplace.settings.result_days)).timestamp()
    old = [path for path in workplace.folder("results").iterdir() if path.is_file() and path.stat().st_mtime < before]
    held = [row[0] for row in workplace.db.rows(query("rights/uploads_held"))] if old else []
    old = [path for path in old if not any(upload_id in path.name for upload_id in held)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
