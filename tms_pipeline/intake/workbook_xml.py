"""Workbook XML: what an .xlsx holds beside its values, by one streaming pass over each sheet.

The fast reader takes error cells as empty, does not see hidden rows, and fills the whole area up to the farthest
cell; so this pass comes first (anchors B4). Cells that hold just a value, in the one form that spreadsheet programs
write, are cut out by a pattern before the parser sees the rest: nine tenths of a sheet, at a tenth of the cost of
parsing them. What does not fit the pattern to the letter is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

from tms_pipeline.intake.container import Container, strict_parser
from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook, area_places, cell_place, column_index

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAIN_PART = "xl/workbook.xml"
STYLES = "xl/styles.xml"
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
        if folded.endswith(("vbaproject.bin", "vbadata.xml")) or folded.startswith(
            ("xl/macrosheets/", "xl/dialogsheets/")
        ):
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
        parts.append(
            SheetPart(
                name=element.attrib.get("name", ""),
                part=path,
                hidden=element.attrib.get("state", "visible").lower() != "visible",
                epoch_1904=epoch_1904,
            )
        )
    return parts


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def look_through(container: Container, limits: dict[str, int]) -> list[SheetLook]:
    """The look of every worksheet, after all dangers are ruled out. Raises Refusal."""
    refuse_dangers(container)
    parts = sheet_parts(container)
    container.check_all(besides=frozenset(sheet.part.lower() for sheet in parts))
    looks = []
    struck = struck_styles(container)
    for sheet in parts:
        look = look_at(container, sheet, max_rows=limits["max_rows"], struck=struck)
        look.check_extent(
            max_rows=limits["max_rows"], max_columns=limits["max_columns"], memory_bytes=limits["memory_bytes"]
        )
        looks.append(look)
    return looks


def struck_styles(container: Container) -> frozenset[int]:
    """The numbers of the cell styles whose letters are crossed out; in most workbooks none."""
    if not container.has(STYLES) or b"strike" not in container.read(STYLES):
        return frozenset()
    fonts: set[int] = set()
    styles: set[int] = set()
    for part in container.tree(STYLES):
        name = _local(part.tag)
        if name == "fonts":
            fonts = {at for at, font in enumerate(part) if any(_strikes(item) for item in font)}
        elif name == "cellXfs":
            styles = {at for at, style in enumerate(part) if style.attrib.get("fontId", "0") in map(str, fonts)}
    return frozenset(styles)


def _strikes(item: Element) -> bool:
    return _local(item.tag) == "strike" and item.attrib.get("val", "1").lower() not in ("0", "false", "off")


def _watch_struck(look: SheetLook, pieces: Iterable[bytes], styles: frozenset[int]) -> Iterator[bytes]:
    """The pieces as they are; notes cells with a value in one of the styles on the way, also across two pieces."""
    numbers = b"|".join(str(style).encode() for style in sorted(styles))
    crossed = re.compile(rb'<c r="([A-Z]{1,3}+[0-9]{1,7}+)" s="(?:' + numbers + rb')"(?: t="[a-zA-Z]{1,9}+")?+>')
    before = b""
    for piece in pieces:
        for found in crossed.findall(before + piece):
            place = cell_place(found.decode())
            if place is not None and len(look.struck) < MOST_MARKS:
                look.struck.add(place)
        before = piece[-60:]
        yield piece


def look_at(
    container: Container, sheet: SheetPart, *, max_rows: int, struck: frozenset[int] = frozenset()
) -> SheetLook:
    """Everything about the sheet that its values do not show. Raises Refusal for broken or forbidden XML."""
    look = SheetLook(name=sheet.name, hidden=sheet.hidden, epoch_1904=sheet.epoch_1904)
    pieces = container.chunks(sheet.part)
    if not _parse(look, _watch_struck(look, pieces, struck) if struck else pieces, digits=len(str(max_rows))):
        # A cell without a reference follows cells that were cut out: its place needs them.
        look = SheetLook(name=sheet.name, hidden=sheet.hidden, epoch_1904=sheet.epoch_1904)
        pieces = container.chunks(sheet.part)
        _parse(look, _watch_struck(look, pieces, struck) if struck else pieces, digits=0)
    return look


# A run of cells with a reference, a style, a type other than error, and a plain value. Quantifiers give nothing back,
# so that a hostile sheet costs no more than an honest one. It leaves a dot, which no sheet has between its cells.
_PLAIN = re.compile(
    rb'(?:<c r="[A-Z]{1,3}+[0-9]{1,7}+"(?: s="[0-9]++")?+(?: t="(?:inlineStr|str|[snb])")?+>'
    rb"(?:<v>[^<&]++</v>|<is><t(?: xml:space=\"preserve\")?+>[^<]++</t></is>)</c>)++"
)
_EMPTY = re.compile(rb'<c r="[A-Z]{1,3}+[0-9]{1,7}+"(?: s="[0-9]++")?+ ?/>')


def _parse(look: SheetLook, pieces: Iterable[bytes], *, digits: int) -> bool:
    """One pass. ``digits`` is how long the row number of a plain cell may be, 0 to parse every cell.

    False when the pass must be made again with every cell parsed.
    """
    parser = strict_parser("sheet")
    parser.buffer_text = True
    handlers = _Handlers(look)
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    parser.CharacterDataHandler = handlers.characters
    places = re.compile(rb'<c r="([A-Z]{1,3})[0-9]{1,%d}"' % max(digits, 1))
    letters: set[bytes] = set()
    try:
        for piece in pieces:
            rest = piece
            if digits:
                found = places.findall(piece)
                if len(found) != piece.count(b'<c r="') - _split_at_end(piece):
                    return False
                letters.update(found)
                rest = _EMPTY.sub(b"", _PLAIN.sub(b".", piece))
            parser.Parse(rest, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError, OverflowError):
        raise Refusal("FILE_DAMAGED", part="a sheet") from None
    if not handlers.seen_root:
        raise Refusal("FILE_DAMAGED", part="a sheet")
    if handlers.plain_rows:
        handlers.widen(max(column_index(name.decode()) for name in letters))
    return not (handlers.implied and handlers.plain_rows)


def _split_at_end(piece: bytes) -> int:
    """1 if the last reference of the piece is cut off by its end."""
    at = piece.rfind(b'<c r="')
    return int(at >= 0 and b'"' not in piece[at + 6 : at + 30] and at + 30 > len(piece))


class _Handlers:
    """The state of one pass over a sheet. Elements count by their local name, as the fast reader takes them."""

    def __init__(self, look: SheetLook) -> None:
        self.look = look
        self.row, self.column = 0, -1
        self.seen_root = self.row_counted = self.in_cell = self.implied = False
        self.plain_rows = 0
        self.kind: str | None = None
        self.formula = self.valued = False
        self.text: list[str] | None = None
        self.opened: dict[str, Callable[[dict[str, str]], None]] = {
            "c": self.cell, "row": self.begin_row, "f": self.begin_formula, "v": self.begin_value,
            "is": self.begin_value, "t": self.begin_value, "col": self.column_style, "mergeCell": self.merge,
            "worksheet": self.root,
        }  # fmt: skip

    def start(self, name: str, attributes: dict[str, str]) -> None:
        handler = self.opened.get(name) or self.opened.get(name.rsplit(":", 1)[-1])
        if handler is not None:
            handler(attributes)

    def end(self, name: str) -> None:
        if name == "c" or name.endswith(":c"):
            self.end_cell()

    def characters(self, text: str) -> None:
        if self.in_cell:
            if self.text is not None:
                self.text.append(text)
        elif "." in text and self.row:
            self.plain_rows += 1
            self.count(self.column)

    def widen(self, column: int) -> None:
        """The farthest column of the cells that were cut out."""
        if column > self.look.last_column:
            self.look.last_column, self.look.last_column_at = column, (self.look.last_row, column)

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
        self.in_cell = True
        if reference is None:
            self.column += 1
            self.implied = True
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

    def end_cell(self) -> None:
        self.in_cell = False
        look, place = self.look, (self.row, self.column)
        text = "".join(self.text) if self.text is not None else None
        if self.kind == "e":
            look.errors[place] = (text or "#ERROR!")[:20]
        elif self.formula and (not self.valued or text == "") and self.kind != "str":
            look.uncached.add(place)
        elif not self.valued:
            return
        self.count(self.column)

    def count(self, column: int) -> None:
        """Takes a value in this row and column into the extent."""
        look = self.look
        if not self.row_counted:
            look.valued_rows += 1
            self.row_counted = True
        if self.row > look.last_row:
            look.last_row, look.last_row_at = self.row, (self.row, max(column, 0))
        if column > look.last_column:
            look.last_column, look.last_column_at = column, (self.row, column)
