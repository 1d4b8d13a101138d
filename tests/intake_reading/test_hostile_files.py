"""A corpus of hostile and odd files: each costs one sentence or gives the right rows, and never a process."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from running import as_anybody

from tms_pipeline.intake import opening
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.framing import encode_column
from tms_pipeline.intake.opening import FileRefused, Limits, open_upload
from tms_pipeline.intake.reader_child import Answer
from tms_pipeline.intake.sheet_look import SheetLook
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS

from .hostile_corpus import (
    GOOD,
    READ,
    REFUSED,
    ROWS,
    XLS,
)
from .workbooks import (
    ENROLMENT_HEADINGS,
    ENROLMENT_ROW,
    csv_bytes,
    label,
    number_cell,
    ods,
    ods_row,
    parts,
    record,
    sheet_xml,
    text_rows,
    xls,
    xlsx,
    zipped,
)


@pytest.mark.parametrize("case", REFUSED)
def test_promise_13_a_hostile_file_costs_one_sentence_and_no_process(case: str, tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    make, code = REFUSED[case]
    found = refusal(make(tmp_path)).fault
    assert found.code == code
    assert found.sentence.endswith((".", "?"))
    assert found.fix
    assert "{" not in found.sentence + found.fix
    assert "Traceback" not in found.sentence


def rows_of(path: Path) -> list[list[str | None]]:
    tables, _ = find_tables(open_upload(path, name=path.name))
    frame = canonicalise(KINDS["enrolment"], tables[0]).frame
    return frame[["run_code", "nric", "enrolment_date", "sponsorship_type"]].to_numpy().tolist()


@pytest.mark.parametrize("case", READ)
def test_gives_the_right_rows(case: str, tmp_path: Path) -> None:
    assert rows_of(READ[case](tmp_path)) == [["HYG-2609-A", "S1234567D", "2026-09-01", "INDIVIDUAL"]]


def test_the_corpus_is_large_enough() -> None:
    assert len(REFUSED) + len(READ) >= 60


def test_old_windows_text_is_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes(csv_bytes([ENROLMENT_HEADINGS + ["Remarks"], ENROLMENT_ROW + ["café – naïve"]], encoding="cp1252"))
    opened = open_upload(path, name="w.csv")
    assert [warning.code for warning in opened.warnings] == ["TEXT_ENCODING_GUESSED"]
    assert opened.grids[0].rows[1][1][4] == "café – naïve"


def test_newlines_and_separators_inside_quotes_stay(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_bytes(
        csv_bytes([ENROLMENT_HEADINGS + ["Remarks"], ENROLMENT_ROW + ["two\nlines, here"], ENROLMENT_ROW + [""]])
    )
    grid = open_upload(path, name="n.csv").grids[0]
    assert [number for number, _ in grid.rows] == [1, 2, 3]
    assert grid.rows[1][1][4] == "two\nlines, here"


def test_separator_signs_of_our_own_framing_survive(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_bytes(b"a\tb\nx\x1bz\ty\n")
    assert open_upload(path, name="s.tsv").grids[0].rows[1][1] == ["x\x1bz", "y"]


def test_what_postgres_cannot_hold_is_in_no_cell_and_no_heading(tmp_path: Path) -> None:
    named = parts(
        sheet_xml(text_rows([["Course_x0000_ Run", "Note"], ["HYG_x0000_-2609-A", "half a letter: _xD800_"]]))
    )
    # The sign between our own texts on their way, so that they are sent with lengths.
    cells = [(0, 0, "Course\0 Run"), (1, 0, "HYG\0-2609-A"), (0, 1, "Note"), (1, 1, "\x1e\0")]
    old = xls(tmp_path / "o.xls", b"".join(label(*cell) for cell in cells))
    for path in (zipped(tmp_path / "n.xlsx", named), old):
        found = open_upload(path, name=path.name)
        (grid,) = found.grids
        assert [cells[0] for _, cells in grid.rows] == ["Course Run", "HYG-2609-A"]
        kept = "".join(cell for _, cells in grid.rows for cell in cells)
        assert "\0" not in kept and kept.encode()


def test_too_many_rows(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(csv_bytes([ENROLMENT_HEADINGS, *[ENROLMENT_ROW] * 20]))
    found = refusal(path, limits=Limits(max_rows=10)).fault
    assert found.code == "FILE_TOO_MANY_ROWS"
    assert "10" in found.sentence


def test_too_many_rows_of_a_workbook(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = xlsx(tmp_path / "m.xlsx", ("S", [ENROLMENT_HEADINGS, *[ENROLMENT_ROW] * 20]))
    assert refusal(path, limits=Limits(max_rows=10)).fault.code == "FILE_TOO_MANY_ROWS"


def test_too_large(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b"a,b\n" * 1000)
    assert refusal(path, limits=Limits(max_bytes=100)).fault.code == "FILE_TOO_LARGE"


def test_a_process_out_of_memory_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "h.csv"
    path.write_bytes(b"a,b\n" * 2_000_000)
    assert refusal(path, limits=Limits(memory_bytes=64 * 1024 * 1024, max_rows=10**7)).fault.code == "FILE_TOO_HUNGRY"


def test_a_machine_that_shuts_down_makes_no_file_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b'"a","b"\n' * 150_000)
    children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children")
    asked: list[int] = []
    over = threading.Event()

    def shut_down() -> None:
        while not asked and not over.wait(0.001):
            for child in children.read_text().split():
                with contextlib.suppress(OSError):  # it ended
                    reads = b"reader_child" in Path(f"/proc/{child}/cmdline").read_bytes()
                    status = Path(f"/proc/{child}/status").read_text()
                    ignored = int(next(line for line in status.splitlines() if line.startswith("SigIgn")).split()[1], 16)
                    if reads and ignored >> (signal.SIGTERM - 1) & 1:
                        os.kill(int(child), signal.SIGTERM)
                        asked.append(int(child))

    asking = threading.Thread(target=shut_down)
    asking.start()
    try:
        opened = open_upload(path, name=path.name)
    finally:
        over.set()
        asking.join()
    assert asked, "it would heed what asks everybody to end"
    assert len(opened.grids[0].numbers) == 150_000


def test_cells_that_would_fill_our_own_memory_are_not_unpacked(tmp_path: Path) -> None:
    sent = tmp_path / "answer"
    cells = [[f"{column}{row:04}" for row in range(10_000)] for column in "abc"]
    with sent.open("wb") as out:
        answer = Answer(out)
        look = SheetLook(name="CSV")
        answer.sheet({"name": look.name, "hidden": False, **look.facts()}, [encode_column(cells_of) for cells_of in cells], list(range(1, 10_001)))
        answer.frame({"done": True, "warnings": [], "peak_bytes": 0, "cpu_seconds": 0})
    assert sent.stat().st_size < 1 << 20, "as bytes they are few"

    def understood(memory_bytes: int) -> int:
        with subprocess.Popen(["cat", sent], stdout=subprocess.PIPE) as process:
            try:
                limits = Limits(memory_bytes=memory_bytes)
                return len(opening._understand(opening._Answer(process, limits), ".csv").grids[0].numbers)
            finally:
                process.kill()

    assert understood(3 << 20) == 10_000
    with pytest.raises(FileRefused) as caught:
        understood(1 << 20)
    assert caught.value.fault.code == "FILE_TOO_HUNGRY"


def test_a_process_out_of_time_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" * 100)
    assert refusal(path, limits=Limits(wall_seconds=0)).fault.code == "FILE_TOO_SLOW"


def test_a_process_out_of_processor_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'"a","b"\n' * 6_000_000)
    assert refusal(path, limits=Limits(cpu_seconds=1, max_rows=10**8)).fault.code == "FILE_TOO_SLOW"


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "u.csv"
    path.write_bytes(b"a,b\n")
    path.chmod(0)
    code = (
        "import sys; from pathlib import Path; from tms_pipeline.intake.opening import FileRefused, open_upload\n"
        "try: open_upload(Path(sys.argv[1]), name='u.csv')\nexcept FileRefused as refusal: print(refusal.fault.code)"
    )
    done = subprocess.run([*as_anybody(), sys.executable, "-c", code, str(path)], capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert done.stdout == "FILE_UNREADABLE\n", done.stderr


def test_a_path_that_no_system_takes(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    assert refusal(tmp_path / "a\0b.csv").fault.code == "FILE_UNREADABLE"


def test_names_are_only_data(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ("S", ROWS))
    for name in ("../../etc/x.xlsx", "C:\\temp\\x.XLSX", "$(rm -rf).xlsx", "a\nb.xlsx"):
        assert open_upload(path, name=name).format == "xlsx"


def test_the_process_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nonexistent")
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    path = xlsx(tmp_path / "a.xlsx", ("S", ROWS))
    assert open_upload(path, name="a.xlsx").grids


def test_an_old_workbook_gives_its_facts(tmp_path: Path) -> None:
    cells = XLS + label(2, 0, "HYG") + record(0x205, struct.pack("<HHHBB", 2, 1, 0, 0x2A, 1)) + number_cell(2, 2, 5)
    cells += record(0x208, struct.pack("<HHHHHHI", 2, 0, 4, 255, 0, 0, 0x20)) + record(
        0xE5, struct.pack("<HHHHH", 1, 1, 2, 3, 3)
    )
    cells += record(0x7D, struct.pack("<HHHHHH", 2, 2, 100, 0, 1, 0))
    grid = open_upload(xls(tmp_path / "f.xls", cells, state=1), name="f.xls").grids[0]
    assert grid.hidden
    assert grid.hidden_rows == {3}
    assert grid.hidden_columns == {2}
    assert grid.merged == [(2, 3, 3, 3)]
    assert grid.problems == {(3, 1): "CELL_ERROR"}
    assert grid.rows[2][1][1] == "#N/A"


def formula(row: int, column: int, result: bytes, flags: int = 0) -> bytes:
    """A formula cell of BIFF8 (its formula is the number 1) with this result."""
    return record(0x06, struct.pack("<HHH", row, column, 0) + result + struct.pack("<HIH", flags, 0, 3) + b"\x1e\x01\x00")


EMPTY_TEXT, NOUGHT, TEN = b"\x03\0\0\0\0\0\xff\xff", bytes(8), struct.pack("<d", 10)


@pytest.mark.parametrize(
    ("formulas", "worked_out", "without_value"),
    [
        ([(EMPTY_TEXT, 0)], False, {(3, 0)}),
        ([(EMPTY_TEXT, 0)], True, set()),
        ([(NOUGHT, 0), (NOUGHT, 0)], False, {(3, 0), (3, 1)}),
        ([(NOUGHT, 0), (TEN, 0)], False, set()),
        ([(NOUGHT, 2), (TEN, 0)], False, {(3, 0)}),
        ([(NOUGHT, 0)], True, set()),
    ],
)
def test_formulas_of_an_old_workbook_that_nobody_worked_out_are_told(
    tmp_path: Path, formulas: list[tuple[bytes, int]], worked_out: bool, without_value: set[tuple[int, int]]
) -> None:
    cells = XLS + b"".join(formula(2, at, result, flags) for at, (result, flags) in enumerate(formulas))
    calculated = record(0x1C1, struct.pack("<HHI", 0x1C1, 0, 191029)) if worked_out else b""
    grid = open_upload(xls(tmp_path / "f.xls", cells, globals_more=calculated), name="f.xls").grids[0]
    assert grid.problems == dict.fromkeys(without_value, "FORMULA_WITHOUT_VALUE")


def test_open_document_gives_its_facts(tmp_path: Path) -> None:
    error = (
        '<table:table-row><table:table-cell table:formula="of:=1/0" office:value-type="string"'
        ' calcext:value-type="error">'
        '<text:p>#DIV/0!</text:p></table:table-cell><table:table-cell table:formula="of:=1"/>'
        '<table:table-cell table:number-rows-spanned="2"><text:p>m</text:p></table:table-cell></table:table-row>'
    )
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    styles = '<style:style style:name="ta1"><style:table-properties table:display="false"/></style:style>'
    path = ods(
        tmp_path / "f.ods",
        columns + ods_row(["a", "b", "c"]) + error + ods_row(["x"], 'table:visibility="filter"'),
        styles=styles,
    )
    grid = open_upload(path, name="f.ods").grids[0]
    assert grid.hidden
    assert grid.hidden_rows == {3}
    assert grid.hidden_columns == {1}
    assert grid.merged == [(2, 2, 3, 2)]
    assert grid.problems == {(2, 0): "CELL_ERROR", (2, 1): "FORMULA_WITHOUT_VALUE"}


def test_every_byte_of_a_workbook_may_be_wrong(tmp_path: Path) -> None:
    """A sample of single damaged bytes and cuts: always rows or a refusal."""
    data = zipped(tmp_path / "g.xlsx", parts(GOOD)).read_bytes()
    old = xls(tmp_path / "g.xls", XLS).read_bytes()
    for name, content in (("x.xlsx", data), ("x.xls", old)):
        for at in range(7, len(content), len(content) // 12):
            path = tmp_path / name
            path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
            try:
                open_upload(path, name=name)
            except FileRefused as refused:
                assert refused.fault.sentence


def test_openpyxl_is_guarded_too() -> None:
    assert openpyxl.DEFUSEDXML is True
