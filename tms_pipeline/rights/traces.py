"""Traces: where a person is named outside the registers: rows as they were typed, originals, result files."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.opening import CannotOpen, open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.intake import archive, landing
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

# Shorter values would be found in rows of others.
_LONG_ENOUGH = 6
_LARGEST_PART = 64 << 20


@dataclass
class Person:
    """What somebody is recognised by, in memory only."""

    trainee_ref: str
    numbers: set[str] = field(default_factory=set, repr=False)
    names: set[str] = field(default_factory=set, repr=False)

    def is_in(self, cells: Iterable[Any]) -> bool:
        """Whether a row names the person: by number, e-mail address, phone, or the full name.

        A name is looked for as whole words, a short single one as a whole cell: else who is called An would be found
        in every cell with Singaporean, and Lee Li in the rows of Lee Lina.
        """
        for cell in cells:
            if cell is None:
                continue
            raw = unicodedata.normalize("NFKC", str(cell)).casefold()
            text = " ".join(raw.split())
            tight = text.replace(" ", "").replace("-", "")
            if any(number in tight for number in self.numbers):
                return True
            if any(name in text and _names(name, text, raw) for name in self.names):
                return True
        return False

    @property
    def words(self) -> set[str]:
        """The single words of the names, for file names."""
        return {word for name in self.names for word in name.split()}


def _names(name: str, text: str, raw: str) -> bool:
    if " " in name or len(name) >= _LONG_ENOUGH:
        return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text) is not None
    # A cell, or a cell of a file that is read as text: XML or lines with separators.
    return re.search(rf"(?:^|[>,;\t\"\n\r])\s*{re.escape(name)}\s*(?:$|[<,;\t\"\n\r])", raw) is not None


def folded(text: str) -> str:
    """Text as it is compared: one width, one case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@opening_for("shredding")
def person_of(connection: Connection, workplace: Workplace, trainee_ref: str) -> Person:
    """What the registers and their history know somebody by. Empty if the data key is shredded already."""
    person = Person(trainee_ref)
    try:
        keys = data_keys(connection, workplace.rings.data, [f"trainee:{trainee_ref}"], make=False)
    except KeyShredded:
        return person
    key = keys.get(f"trainee:{trainee_ref}")
    if key is None:
        return person
    fields = [item.name for item in kind_named("trainee").personal_fields if item.name != "birth_date"]
    columns = ", ".join(f"{name}_sealed" for name in fields)
    for row in connection.execute(
        f"SELECT {columns} FROM register.trainee WHERE trainee_ref = %(ref)s UNION "  # noqa: S608  (names of fields)
        f"SELECT {columns} FROM register.trainee_history WHERE trainee_ref = %(ref)s",
        {"ref": trainee_ref},
    ).fetchall():
        for name, sealed in zip(fields, row, strict=True):
            if not sealed:
                continue
            value = folded(open_sealed(key, bytes(sealed), place("register.trainee", name, trainee_ref)).decode())
            if name == "full_name":
                person.names.add(value)
            elif len(value) >= _LONG_ENOUGH:
                person.numbers.add(value.replace(" ", "").replace("-", ""))
    return person


def blank_landing(
    connection: Connection, workplace: Workplace, people: list[Person]
) -> tuple[dict[str, int], list[str]]:
    """Blank the typed rows of these people in every upload; returns (upload: rows) and uploads only kept as files."""
    touched: dict[str, int] = {}
    for (upload_id,) in connection.execute(
        "SELECT DISTINCT b.upload_id FROM intake.landing_block b JOIN identity.data_key k "
        "ON k.subject = 'upload:' || b.upload_id WHERE k.wrapped IS NOT NULL ORDER BY 1"
    ).fetchall():
        rows = landing.blank_rows(
            connection, workplace.rings, upload_id, lambda cells: any(person.is_in(cells) for person in people)
        )
        if rows:
            touched[upload_id] = rows
    return touched, _originals_naming(connection, workplace, people, set(touched))


@opening_for("shredding")
def _originals_naming(
    connection: Connection, workplace: Workplace, people: list[Person], known: set[str]
) -> list[str]:
    """Uploads of which only the original is kept (held, refused, not taken in yet) and which name one of them."""
    found = []
    for upload_id, sha256 in connection.execute(
        "SELECT u.upload_id, u.sha256 FROM intake.upload u WHERE u.archive_name IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM intake.landing_block b WHERE b.upload_id = u.upload_id) ORDER BY 1"
    ).fetchall():
        if upload_id in known:
            continue
        try:
            key = data_keys(connection, workplace.rings.data, [landing.subject_of(upload_id)], make=False)
            content = archive.original(workplace.folder("archive"), sha256, key[landing.subject_of(upload_id)])
        except (KeyShredded, KeyError, FileNotFoundError, CannotOpen):
            continue
        if any(person.is_in(parts_of(content)) for person in people):
            found.append(upload_id)
    return found


def parts_of(content: bytes) -> Iterable[str]:
    """The text of a file, or of the parts of a workbook, without reading it as a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            for entry in book.infolist():
                if entry.file_size <= _LARGEST_PART and entry.filename.endswith((".xml", ".rels")):
                    yield book.read(entry).decode("utf-8", "replace")
            return
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        pass
    for encoding in ("utf-8", "utf-16"):
        yield content.decode(encoding, "replace")


def result_files(workplace: Workplace, upload_ids: Iterable[str]) -> list[Path]:
    """The result workbooks and pages of these uploads."""
    folder = workplace.folder("results")
    wanted = set(upload_ids)
    return [path for path in folder.iterdir() if path.is_file() and any(name in path.name for name in wanted)]
