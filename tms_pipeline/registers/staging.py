"""Staging: canonical rows of one kind on their way into its register, sealed, marked and hashed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from psycopg import sql

from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.sealing import place, seal
from tms_pipeline.records import content
from tms_pipeline.records.field import Field, RecordKind
from tms_pipeline.store.database import Connection, copy_lines, copy_rows, escaped
from tms_pipeline.store.queries import query


@dataclass
class Records:
    """Rows of one kind, canonical, with what intake knows of where each came from.

    ``frame`` has the kind's fields plus ``table_no``, ``row_number`` and ``sheet``; ``marks`` holds the keyed
    marks of the personal fields; ``refs``, ``keys``, ``row_hashes`` and ``own_hashes`` are aligned with it.
    """

    kind: RecordKind
    frame: pd.DataFrame
    marks: dict[str, list[bytes | None]]
    refs: list[str | None]
    keys: list[str]
    live: list[bool]
    row_hashes: list[bytes]
    own_hashes: list[bytes]
    kept_sealed: dict[tuple[int, str], bytes] = dataclasses.field(default_factory=dict)
    in_candidates: bool = False  # whether all lines stand in the candidate table of the kind already

    @property
    def candidates(self) -> str:
        """The temporary table of keys and hashes that are compared with the register."""
        return f"candidate_{self.kind.name}"

    @property
    def differing(self) -> str:
        """The temporary table of the candidates that would change the register."""
        return f"differing_{self.kind.name}"


def prepare(
    connection: Connection,
    marker: Marker,
    kind: RecordKind,
    frame: pd.DataFrame,
    *,
    kept_marks: Mapping[str, Mapping[int, bytes | None]] = MappingProxyType({}),
) -> Records:
    """Marks, trainee references, keys and hashes of canonical rows. Trainee rows get references as needed.

    ``kept_marks`` are marks of values that stand sealed in the register and are not opened for this.
    """
    if "phone_country" in frame.columns:
        frame = frame.assign(phone_country=frame["phone_country"].str.lstrip("+"))
    marks = {field.name: marker.marks(field.name, frame[field.name]) for field in kind.personal_fields}
    for name, kept in kept_marks.items():
        for line, mark in kept.items():
            marks[name][line] = mark
    refs: list[str | None] = [None] * len(frame)
    if "nric" in kind.names:
        refs = _trainee_refs(connection, marks["nric"], make=kind.name == "trainee")
    words: dict[str, list[str | None]] = {
        field.name: (
            [mark.hex() if mark else None for mark in marks[field.name]]
            if field.personal
            else frame[field.name].tolist()
        )
        for field in content.fields_of(kind)
    }
    size = len(frame)
    live = [True] * size
    if kind.name in content.LIVE_WORDS:
        name, good = content.LIVE_WORDS[kind.name]
        live = [value in good for value in words[name]]
    parts = [refs if name == "nric" else words[name] for name in kind.key]
    spoken = [[value or "" for value in part] if None in part else part for part in parts]
    keys = list(map("|".join, zip(*spoken, strict=True)))
    hashed = [words[field.name] for field in content.fields_of(kind)]
    row_hashes = content.digests(hashed) if hashed else [b""] * size
    if kind.name == "attendance":
        own_hashes = [content.own_hash(kind, {})] * size
    else:
        ssg = [words[name] for name in content.ssg_columns(kind)]
        own_hashes = content.digests(ssg) if ssg else row_hashes
    return Records(kind, frame, marks, refs, keys, live, row_hashes, own_hashes)


def compare(connection: Connection, records: Records, lines: Sequence[int]) -> tuple[list[int], list[int]]:
    """The lines that would be new in the register and those that would change it, each in order.

    They stand in the differing table of the kind then; the other lines would change nothing.
    """
    table = sql.Identifier(records.candidates)
    if records.in_candidates:
        if len(lines) < len(records.keys):
            others = sorted(set(range(len(records.keys))) - set(lines))
            connection.execute(sql.SQL("DELETE FROM {} WHERE line = ANY(%s)").format(table), (others,))
    else:
        load_candidates(connection, records, lines)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(records.differing)))
    connection.execute(
        query(
            "registers/compare",
            register=f"register.{records.kind.name}",
            candidate=records.candidates,
            differing=records.differing,
        )
    )
    found: dict[bool, bytes] = dict(
        connection.execute(query("registers/differing", differing=records.differing)).fetchall()
    )
    return _lines(found.get(True, b"")), _lines(found.get(False, b""))


def _lines(packed: bytes) -> list[int]:
    """Line numbers that came as one value: a million of them one by one would take seconds."""
    lines: list[int] = np.sort(np.frombuffer(packed, dtype=">i4")).tolist()
    return lines


def load_candidates(connection: Connection, records: Records, lines: Iterable[int]) -> None:
    """Keys and hashes of these lines into the candidate table of their kind, made anew."""
    table = sql.Identifier(records.candidates)
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {} (line integer, key text, row_hash bytea) ON COMMIT DROP"
        ).format(table)
    )
    connection.execute(sql.SQL("TRUNCATE {}").format(table))
    keys, hashes = escaped(records.keys), records.row_hashes
    copy_lines(
        connection,
        records.candidates,
        ("line", "key", "row_hash"),
        (f"{line}\t{keys[line]}\t\\\\x{hashes[line].hex()}\n" for line in lines),
    )
    connection.execute(sql.SQL("ANALYZE {}").format(table))


def stage(connection: Connection, rings: KeyRings, records: Records, lines: Sequence[int], upload_id: str) -> str:
    """Load the lines, sealed, into a fresh temporary table shaped like the register; returns its name."""
    kind, frame = records.kind, records.frame
    table = f"stage_{kind.name}"
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE {} (LIKE register.{} INCLUDING DEFAULTS, line integer NOT NULL) ON COMMIT DROP"
        ).format(sql.Identifier(table), sql.Identifier(kind.name))
    )
    plain, personal = _plain(kind), _sealed(kind)
    names = ["key", *(["trainee_ref"] if "nric" in kind.names else []), *[field.name for field in plain]]
    for field in personal:
        names.append(f"{field.name}_sealed")
        if field.name != "nric":
            names.append(f"{field.name}_mark")
    names += ["live", "row_hash", "own_hash", "ssg_hash", "upload_id", "sheet", "row_number", "line"]
    if not personal:
        copy_lines(connection, table, names, _plain_lines(records, lines, upload_id))
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        return table
    subjects = [subject_of(kind, records.keys[line], records.refs[line]) for line in lines]
    keys = data_keys(connection, rings.data, [s for s in subjects if s], make=True)
    columns = {
        name: frame[name].tolist()
        for name in {*[f.name for f in plain], *[f.name for f in personal], "sheet", "row_number"}
    }
    register = f"register.{kind.name}"

    def rows() -> object:
        for line, subject in zip(lines, subjects, strict=True):
            key = records.keys[line]
            values: list[object] = [key]
            if "nric" in kind.names:
                values.append(records.refs[line])
            values += [columns[field.name][line] for field in plain]
            for field in personal:
                value = columns[field.name][line]
                if (line, field.name) in records.kept_sealed:
                    values.append(records.kept_sealed[line, field.name])
                elif value is None:
                    values.append(None)
                else:
                    values.append(seal(keys[subject], value.encode(), place(register, field.name, key)))
                if field.name != "nric":
                    values.append(records.marks[field.name][line])
            values += [
                records.live[line],
                records.row_hashes[line],
                records.own_hashes[line],
                records.own_hashes[line],
                upload_id,
                columns["sheet"][line],
                int(columns["row_number"][line]),
                line,
            ]
            yield values

    copy_rows(connection, table, names, rows())  # type: ignore[arg-type]
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return table


def _plain_lines(records: Records, lines: Sequence[int], upload_id: str) -> Iterator[str]:
    """The lines of a kind of which nothing is sealed, as text for COPY, in the order of the staging table's names."""
    frame = records.frame
    every = len(lines) == len(frame)

    def only(values: Sequence[Any]) -> Sequence[Any]:
        return values if every else [values[line] for line in lines]

    own = _hex(only(records.own_hashes))
    texts = [
        _or_null(only(records.keys)),
        *([_or_null(only(records.refs))] if "nric" in records.kind.names else []),
        *(_or_null(only(frame[field.name].tolist())) for field in _plain(records.kind)),
        ["t" if live else "f" for live in only(records.live)],
        _hex(only(records.row_hashes)),
        own,
        own,
        [*escaped([upload_id])] * len(lines),
        _or_null(only(frame["sheet"].tolist())),
        list(map(str, only(frame["row_number"].tolist()))),
        map(str, lines),
    ]
    return (f"{line}\n" for line in map("\t".join, zip(*texts, strict=True)))


def _or_null(values: Sequence[str | None]) -> Sequence[str]:
    """Texts as COPY reads them, with its own word for no value."""
    if None not in values:
        return escaped(values)  # type: ignore[arg-type]
    texts = escaped([value or "" for value in values])
    return ["\\N" if value is None else text for value, text in zip(values, texts, strict=True)]


def _hex(hashes: Sequence[bytes]) -> list[str]:
    """Hashes as COPY reads them; many rows have the same."""
    made = {value: f"\\\\x{value.hex()}" for value in set(hashes)}
    return list(map(made.__getitem__, hashes))


def drop_lines(connection: Connection, table: str, lines: Sequence[int]) -> None:
    """Take rejected lines out of the staging table."""
    if lines:
        connection.execute(sql.SQL("DELETE FROM {} WHERE line = ANY(%s)").format(sql.Identifier(table)), (list(lines),))


def subject_of(kind: RecordKind, key: str, trainee_ref: str | None) -> str:
    """Whose data key seals the personal values of this record."""
    if trainee_ref:
        return f"trainee:{trainee_ref}"
    return f"{kind.name}:{key}"


def _plain(kind: RecordKind) -> list[Field]:
    return [field for field in kind.fields if not field.personal]


def _sealed(kind: RecordKind) -> list[Field]:
    return [field for field in kind.fields if field.personal and (field.name != "nric" or kind.name == "trainee")]


def _trainee_refs(connection: Connection, marks: list[bytes | None], *, make: bool) -> list[str | None]:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS seen_mark (line integer, nric_mark bytea) ON COMMIT DROP")
    connection.execute("TRUNCATE seen_mark")
    seen = list(dict.fromkeys(mark for mark in marks if mark is not None))  # each person once, in the order of the rows
    copy_rows(connection, "seen_mark", ("line", "nric_mark"), enumerate(seen))
    if make:
        connection.execute(query("registers/new_trainees"))
    ref_of: dict[bytes | None, str] = {
        seen[line]: ref for line, ref in connection.execute(query("registers/trainee_refs"))
    }
    return [ref_of.get(mark) for mark in marks]
