"""Workbook XML: what an .xlsx holds beside its values, by one streaming pass over each sheet.

The fast reader takes error cells as empty, does not see hidden rows, and fills the whole area up to the farthest
cell; so this pass comes first (anchors B4). An ordinary large sheet is proven harmless by searches over its bytes,
which cost a third of parsing it; whatever is out of the ordinary there is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from tms_pipeline.intake.container import Container, strict_parser
from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook, area_places, cell_place, column_index

MAIN_PART = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
# Excel has 1,048,576 rows; a merged area or hidden span is cut there, so that no loop runs longer.
EXCEL_ROWS = 1_048_576
MOST_MARKS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SheetPart:
    """A sheet of the workbook and the part of the archive that holds it."""

    name: str
    part: str
    hidden: bool
    epoch_1904: bool


def refuse_dangers(container: Container) -> None:
    """Refuses macros, macro sheets and links to other workbooks."""
    for name in container.names:
        folded = name.lower()
        if folded.endswith(("vbaproject.bin", "vbadata.xml")) or folded.startswith(("xl/macrosheets/", "xl/dialogsheets/")):
            raise Refusal("FILE_HAS_MACROS")
        if folded.startswith("xl/externallinks/"):
            raise Refusal("FILE_HAS_LINKS")


def sheet_parts(container: Container) -> list[SheetPart]:
    """The worksheets in the order of the workbook. Raises Refusal when the lists of sheets are damaged."""
    if not container.has(MAIN_PART):
        raise Refusal("FILE_DAMAGED", part="the list of sheets")
    targets: dict[str, tuple[str, str]] = {}
    for relation in container.tree(RELATIONS):
        attributes = relation.attrib
        targets[attributes.get("Id", "")] = (attributes.get("Type", ""), attributes.get("Target", ""))
    parts = []
    epoch_1904 = False
    for element in container.tree(MAIN_PART).iter():
        if _local(element.tag) == "workbookPr":
            epoch_1904 = element.attrib.get("date1904", "0").lower() in ("1", "true", "on")
        if _local(element.tag) != "sheet":
            continue
        relation_id = next((value for key, value in element.attrib.items() if _local(key) == "id"), "")
        kind, target = targets.get(relation_id, ("", ""))
        if not kind.endswith("/worksheet"):
            continue
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        path = re.sub(r"[^/]+/\.\./", "", path.replace("/./", "/"))
        parts.append(SheetPart(name=element.attrib.get("name", ""), part=path,
                               hidden=element.attrib.get("state", "visible").lower() != "visible",
                               epoch_1904=epoch_1904))
    return parts


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def look_through(container: Container, limits: dict[str, int]) -> list[SheetLook]:
    """The look of every worksheet, after all dangers are ruled out. Raises Refusal."""
    refuse_dangers(container)
    parts = sheet_parts(container)
    container.check_all(besides=frozenset(sheet.part.lower() for sheet in parts))
    looks = []
    for sheet in parts:
        look = look_at(container, sheet, max_rows=limits["max_rows"], max_columns=limits["max_columns"])
        look.check_extent(max_rows=limits["max_rows"], max_columns=limits["max_columns"],
                          memory_bytes=limits["memory_bytes"])
        looks.append(look)
    return looks


def look_at(container: Container, sheet: SheetPart, *, max_rows: int, max_columns: int) -> SheetLook:
    """Everything about the sheet that its values do not show. Raises Refusal for broken or forbidden XML."""
    look = SheetLook(name=sheet.name, hidden=sheet.hidden, epoch_1904=sheet.epoch_1904)
    if container.size(sheet.part) >= OrdinarySheet.WORTH_IT:
        ordinary = OrdinarySheet(look, max_rows=max_rows, max_columns=max_columns)
        if ordinary.holds(container.chunks(sheet.part)):
            return look
    look = SheetLook(name=sheet.name, hidden=sheet.hidden, epoch_1904=sheet.epoch_1904)
    _parse(look, container.chunks(sheet.part))
    return look


class OrdinarySheet:
    """Proof by byte searches that a sheet is plain: UTF-8, plain attributes, no errors, formulas, hidden rows or merges.

    Anything else, also what merely looks like it, makes ``holds`` False; then the sheet is parsed.
    """

    WORTH_IT = 2_000_000
    OVERLAP = 256
    _SUSPECT = (b't="e"', b"<f", b":f", b"hidden", b"ergeCell", b"<!", b"='", b"\x00",
                b":c ", b":c>", b":c/", b":c\t", b":c\n", b":c\r")
    _CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"')

    def __init__(self, look: SheetLook, *, max_rows: int, max_columns: int) -> None:
        self.look = look
        self.max_rows, self.max_columns = max_rows, max_columns
        self.row_before = b""

    def holds(self, pieces: Iterable[bytes]) -> bool:
        """True if the sheet is ordinary; its extent is then in the look."""
        tail, first = b"", True
        for piece in pieces:
            data = tail + piece
            # Cut at an opening tag: no mark is then split, nor counted twice.
            cut = data.rfind(b"<")
            if cut <= 0 or len(data) - cut > 1_000_000:
                return False
            data, tail = data[:cut], data[cut:]
            if first and not data.lstrip()[:1] == b"<":
                return False
            if first and not self._plain_beginning(data):
                return False
            first = False
            if not self._plain(data):
                return False
        return not first and self._ended(tail)

    @staticmethod
    def _plain_beginning(data: bytes) -> bool:
        head = data[:2000].lstrip().lower()
        declared = head[: head.find(b"?>")] if head.startswith(b"<?xml") else b'encoding="utf-8"'
        return b"<worksheet " in head and (b'encoding="utf-8"' in declared or b"encoding" not in declared)

    def _plain(self, data: bytes) -> bool:
        if any(mark in data for mark in self._SUSPECT):
            return False
        # Each quotation mark belongs to an attribute written name="value", and each cell says where it is.
        if data.count(b'="') * 2 != data.count(b'"') or b'" =' in data or b"&#" in data:
            return False
        cells = data.count(b"<c")
        if not cells:
            return True
        return self._extent(data, cells)

    def _extent(self, data: bytes, cells: int) -> bool:
        marks = self._CELL.findall(data)
        other = data.count(b"<col")
        if len(marks) + other != cells:
            return False
        if not marks:
            return True
        look = self.look
        columns = {letters for letters, _ in marks}
        widest = max(map(column_index, (letters.decode() for letters in columns)))
        rows = {row for _, row in marks}
        last = max(map(int, rows))
        look.valued_rows += len(rows) - (self.row_before in rows)
        self.row_before = marks[-1][1]
        if last > look.last_row:
            look.last_row, look.last_row_at = last, (last, 0)
        if widest > look.last_column:
            look.last_column, look.last_column_at = widest, (last, widest)
        return True

    def _ended(self, tail: bytes) -> bool:
        # A styled but empty far cell is harmless, but only the parse can tell; so ordinary sheets are also dense ones.
        inside = self.look.last_row <= self.max_rows and self.look.last_column < self.max_columns
        return tail.strip() == b"</worksheet>" and inside and self.look.last_row <= 2 * self.look.valued_rows + 1000


def _parse(look: SheetLook, pieces: Iterable[bytes]) -> None:
    """The full pass: one expat parser, with state in local names because it is called for every element."""
    parser = strict_parser("sheet")
    parser.buffer_text = True
    handlers = _Handlers(look, parser)
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError, OverflowError):
        raise Refusal("FILE_DAMAGED", part="a sheet") from None
    if not handlers.seen_root:
        raise Refusal("FILE_DAMAGED", part="a sheet")


class _Handlers:
    """The state of one pass over a sheet. Elements count by their local name, as the fast reader takes them."""

    def __init__(self, look: SheetLook, parser: Any) -> None:
        self.look, self.parser = look, parser
        self.row, self.column = 0, -1
        self.in_data = self.seen_root = self.row_counted = False
        self.kind: str | None = None
        self.formula = self.valued = False
        self.text: list[str] | None = None
        self.opened: dict[str, Callable[[dict[str, str]], None]] = {
            "c": self.cell, "row": self.begin_row, "f": self.begin_formula, "v": self.begin_value, "is": self.begin_value,
            "t": self.begin_value, "col": self.column_style, "mergeCell": self.merge, "worksheet": self.root,
        }  # fmt: skip

    def start(self, name: str, attributes: dict[str, str]) -> None:
        handler = self.opened.get(name) or self.opened.get(name.rsplit(":", 1)[-1])
        if handler is not None:
            handler(attributes)

    def end(self, name: str) -> None:
        if name == "c" or name.endswith(":c"):
            self.end_cell()
        elif self.text is not None and (name == "v" or name.endswith((":v", ":t")) or name == "t"):
            self.parser.CharacterDataHandler = None

    def root(self, _: dict[str, str]) -> None:
        self.seen_root = True

    def begin_row(self, attributes: dict[str, str]) -> None:
        self.row = int(attributes["r"]) if "r" in attributes else self.row + 1
        self.column = -1
        self.row_counted = False
        if attributes.get("hidden", "0") in ("1", "true") and len(self.look.hidden_rows) < MOST_MARKS:
            self.look.hidden_rows.add(self.row)

    def column_style(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden", "0") in ("1", "true"):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.look.hidden_columns.update(range(first - 1, min(last, 16_384)))

    def merge(self, attributes: dict[str, str]) -> None:
        area = area_places(attributes.get("ref", ""))
        if area and area[:2] != area[2:] and len(self.look.merged) < MOST_MARKS:
            self.look.merged.append(area)

    def cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self.column += 1
        else:
            place = cell_place(reference)
            if place is None:
                raise ValueError("no cell reference")
            row, self.column = place
            if row != self.row:
                self.row, self.row_counted = row, False
        self.kind = attributes.get("t")
        self.formula = self.valued = False
        self.text = None

    def begin_formula(self, _: dict[str, str]) -> None:
        self.formula = True

    def begin_value(self, _: dict[str, str]) -> None:
        # Only the text of errors and of formulas matters: the rest is the fast reader's.
        self.valued = True
        if self.formula or self.kind == "e":
            self.text = []
            self.parser.CharacterDataHandler = self.text.append

    def end_cell(self) -> None:
        self.parser.CharacterDataHandler = None
        look, place = self.look, (self.row, self.column)
        text = "".join(self.text) if self.text is not None else None
        if self.kind == "e":
            look.errors[place] = (text or "#ERROR!")[:20]
        elif self.formula and (not self.valued or text == "") and self.kind != "str":
            look.uncached.add(place)
        elif not self.valued:
            return
        if not self.row_counted:
            look.valued_rows += 1
            self.row_counted = True
        if self.row > look.last_row:
            look.last_row, look.last_row_at = self.row, place
        if self.column > look.last_column:
            look.last_column, look.last_column_at = self.column, place
