"""Container: the zip archive around .xlsx and .ods, looked through before anything in it is unpacked.

Sizes come twice: as the directory declares them, and as they are when a part is read; the second may lie past the
first, so every read is bounded. Sources of the limits: Canvas SIS (ratio 100), Apache POI (minimum inflate ratio).
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from tms_pipeline.intake.refusal import Refusal

# Small files may pack well and harm nobody: the ratio counts from here on.
RATIO_COUNTS_FROM = 8 * 1024 * 1024
CHUNK = 1 << 18
# Parts that are read whole (lists of sheets, relations, manifests) are small in every real workbook.
LARGEST_SMALL_PART = 8 * 1024 * 1024
ENCRYPTED = 0x1


class Container:
    """An open archive with bounded reading. Raises Refusal for whatever is not in order."""

    def __init__(self, file: IO[bytes], *, max_entries: int, max_inflated_bytes: int, max_ratio: int) -> None:
        try:
            self.archive = zipfile.ZipFile(file)
            entries = self.archive.infolist()
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            OSError,
            ValueError,
            EOFError,
            UnicodeError,
            NotImplementedError,
        ):
            raise Refusal("FILE_DAMAGED", part="the archive") from None
        if len(entries) > max_entries:
            raise Refusal("FILE_BOMB", detail=f"{len(entries)} parts")
        inflated = sum(entry.file_size for entry in entries)
        if inflated > max_inflated_bytes:
            raise Refusal("FILE_BOMB", detail=f"{inflated // 1_000_000} MB")
        for entry in entries:
            if entry.flag_bits & ENCRYPTED:
                raise Refusal("FILE_PASSWORD")
            if entry.file_size > RATIO_COUNTS_FROM and entry.file_size > max_ratio * max(entry.compress_size, 1):
                raise Refusal("FILE_BOMB", detail=f"{entry.file_size // max(entry.compress_size, 1)} times")
        self.names = [entry.filename for entry in entries]
        folded = {name.lower().lstrip("/") for name in self.names}
        if len(folded) != len(self.names):
            raise Refusal("FILE_DAMAGED", part="two parts of one name")
        self._by_name = {entry.filename.lower().lstrip("/"): entry for entry in entries}

    def has(self, name: str) -> bool:
        """True if a part of that name (without regard to case) is there."""
        return name.lower().lstrip("/") in self._by_name

    def size(self, name: str) -> int:
        """The declared size of a part in bytes."""
        return self._by_name[name.lower().lstrip("/")].file_size

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part piece by piece. Raises Refusal when it is missing, damaged or other than declared."""
        entry = self._by_name.get(name.lower().lstrip("/"))
        if entry is None:
            raise Refusal("FILE_DAMAGED", part="a sheet is missing")
        seen = 0
        try:
            with self.archive.open(entry) as part:
                while piece := part.read(CHUNK):
                    seen += len(piece)
                    if seen > entry.file_size:
                        raise Refusal("FILE_BOMB", detail="more than it declares")
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
            raise Refusal("FILE_DAMAGED", part="the archive") from None

    def read(self, name: str, limit: int = LARGEST_SMALL_PART) -> bytes:
        """A small part whole. Raises Refusal when it is missing, damaged or past the limit."""
        if self.has(name) and self.size(name) > limit:
            raise Refusal("FILE_BOMB", detail="a list of parts that is far too long")
        return b"".join(self.chunks(name))

    def tree(self, name: str) -> Element:
        """A small XML part as elements. Raises Refusal for XML that is broken or declares entities."""
        text = self.read(name)
        try:
            root: Element = SafeTree.fromstring(text, forbid_dtd=True)
            return root
        except DefusedXmlException:
            raise Refusal("FILE_XML_ENTITY", part=name.rsplit("/", 1)[-1]) from None
        except (SafeTree.ParseError, ValueError, LookupError):
            raise Refusal("FILE_DAMAGED", part=name.rsplit("/", 1)[-1]) from None

    def check_all(self, *, besides: frozenset[str] = frozenset()) -> None:
        """Reads every part to its end and refuses XML that declares a document type, wherever it is.

        The fast reader opens parts that we do not parse ourselves (styles, shared strings). ``besides`` names the
        parts (in lower case) that the caller reads to their end himself.
        """
        for name in self.names:
            if name.endswith("/") or name.lower() in besides:
                continue
            pieces = self.chunks(name)
            if name.lower().endswith((".xml", ".rels", ".vml")):
                refuse_declarations(pieces, name)
            for _ in pieces:  # to the end, for the checksum
                pass


class _Begun(Exception):
    """The root element has begun: no declaration can follow."""


def strict_parser(part: str) -> expat.XMLParserType:
    """An expat parser that refuses document types and entities, as defusedxml does for trees."""
    parser = expat.ParserCreate()

    def forbid(*_: object) -> Any:
        raise Refusal("FILE_XML_ENTITY", part=part.rsplit("/", 1)[-1])

    parser.StartDoctypeDeclHandler = forbid
    parser.EntityDeclHandler = forbid
    parser.UnparsedEntityDeclHandler = forbid
    parser.ExternalEntityRefHandler = forbid
    return parser


def refuse_declarations(pieces: Iterator[bytes], part: str) -> None:
    """Reads the part as far as its root element. Raises Refusal for a declaration before it."""
    parser = strict_parser(part)

    def begun(*_: object) -> None:
        raise _Begun

    parser.StartElementHandler = begun
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except _Begun:
        return
    except (expat.ExpatError, ValueError, LookupError):
        raise Refusal("FILE_DAMAGED", part=part.rsplit("/", 1)[-1]) from None
