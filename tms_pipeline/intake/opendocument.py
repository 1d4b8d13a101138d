"""OpenDocument: what an .ods holds beside its values, by one streaming pass over its content.

Repeats are the trap of this format: one element can stand for a million rows. Only rows and cells with a value count.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from tms_pipeline.intake.container import Container, strict_parser
from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
# Rows and columns of LibreOffice; repeats beyond them are nonsense.
MOST_REPEATS = 1_048_576
_ERROR = re.compile(r"#[A-Z/0!?]+|Err:\d{3}")


def look_through(container: Container, limits: dict[str, int]) -> list[SheetLook]:
    """The look of every sheet, after dangers are ruled out. Raises Refusal."""
    _refuse_dangers(container)
    container.check_all(besides=frozenset({CONTENT}))
    handlers = _Handlers()
    parser = strict_parser("the content")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = handlers.start, handlers.end
    parser.CharacterDataHandler = handlers.characters
    try:
        for piece in container.chunks(CONTENT):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError, OverflowError):
        raise Refusal("FILE_DAMAGED", part="the content") from None
    for look in handlers.looks:
        look.hidden = handlers.styles.get(handlers.style_of.get(look.name, ""), False)
        look.check_extent(
            max_rows=limits["max_rows"], max_columns=limits["max_columns"], memory_bytes=limits["memory_bytes"]
        )
    return handlers.looks


def _refuse_dangers(container: Container) -> None:
    if container.has(MANIFEST) and b"encryption-data" in container.read(MANIFEST):
        raise Refusal("FILE_PASSWORD")
    for name in container.names:
        folder, _, file = name.lower().rpartition("/")
        if folder.startswith(("basic", "scripts")) and file and not file.startswith(("script-lb", "script-lc")):
            raise Refusal("FILE_HAS_MACROS")


class _Handlers:
    """The state of the pass."""

    def __init__(self) -> None:
        self.looks: list[SheetLook] = []
        self.look: SheetLook | None = None
        self.styles: dict[str, bool] = {}
        self.style_of: dict[str, str] = {}
        self.style = ""
        self.row = self.row_repeat = 0
        self.column = -1
        self.columns_seen = 0
        self.cell: dict[str, str] | None = None
        self.repeat = 1
        self.text: list[str] = []
        self.row_valued = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rsplit(":", 1)[-1]
        if name == "style":
            self.style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self.styles[self.style] = True
        elif name == "table" and "table:name" in attributes:
            self.look = SheetLook(name=attributes["table:name"])
            self.looks.append(self.look)
            self.style_of[self.look.name] = attributes.get("table:style-name", "")
            self.row, self.columns_seen = 0, 0
        elif self.look is None:
            return
        elif name == "table-source":
            raise Refusal("FILE_HAS_LINKS")
        elif name == "table-column":
            self._column(self.look, attributes)
        elif name == "table-row":
            self._begin_row(self.look, attributes)
        elif name in ("table-cell", "covered-table-cell"):
            self.cell, self.text = attributes, []
            self.repeat = _count(attributes, "table:number-columns-repeated")

    def characters(self, text: str) -> None:
        if self.cell is not None:
            self.text.append(text)

    def end(self, name: str) -> None:
        name = name.rsplit(":", 1)[-1]
        if name in ("table-cell", "covered-table-cell") and self.look is not None and self.cell is not None:
            self._end_cell(self.look, self.cell)
            self.cell = None
        elif name == "table-row":
            self._end_row()
        elif name == "table":
            self.look = None

    def _column(self, look: SheetLook, attributes: dict[str, str]) -> None:
        repeat = _count(attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility", "visible") != "visible":
            look.hidden_columns.update(range(self.columns_seen, min(self.columns_seen + repeat, 16_384)))
        self.columns_seen += repeat

    def _begin_row(self, look: SheetLook, attributes: dict[str, str]) -> None:
        self.row_repeat = _count(attributes, "table:number-rows-repeated")
        self.row += 1
        self.column, self.row_valued = -1, False
        if attributes.get("table:visibility", "visible") != "visible" and len(look.hidden_rows) < MOST_REPEATS:
            look.hidden_rows.update(range(self.row, self.row + min(self.row_repeat, MOST_REPEATS)))

    def _end_row(self) -> None:
        look = self.look
        if look is not None and self.row_valued:
            look.valued_rows += self.row_repeat
            if self.row + self.row_repeat - 1 > look.last_row:
                look.last_row = self.row + self.row_repeat - 1
                look.last_row_at = (look.last_row, 0)
        self.row += self.row_repeat - 1

    def _end_cell(self, look: SheetLook, attributes: dict[str, str]) -> None:
        first = self.column + 1
        self.column += self.repeat
        text = "".join(self.text).strip()
        kind = attributes.get("office:value-type") or attributes.get("calcext:value-type")
        formula = "table:formula" in attributes
        if "file:" in attributes.get("table:formula", "")[:4000]:
            raise Refusal("FILE_HAS_LINKS")
        rows = _count(attributes, "table:number-rows-spanned")
        columns = _count(attributes, "table:number-columns-spanned")
        if rows > 1 or columns > 1:
            look.merged.append((self.row, first, self.row + rows - 1, first + columns - 1))
        if kind is None and not text and not formula:
            return
        if attributes.get("calcext:value-type") == "error" or (formula and _ERROR.fullmatch(text)):
            look.errors[self.row, first] = text[:20] or "#ERROR!"
        elif formula and kind is None and not text:
            look.uncached.add((self.row, first))
        self.row_valued = True
        if self.column > look.last_column:
            look.last_column, look.last_column_at = self.column, (self.row, self.column)


def _count(attributes: dict[str, str], name: str) -> int:
    return max(1, min(int(attributes.get(name, "1")), MOST_REPEATS))
