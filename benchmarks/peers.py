"""The best libraries for a stage each, in an environment of their own (requirements-bench.lock), on the same files.

Each function returns what it read or found, so that a figure of something else than the work is noticed.
"""

from __future__ import annotations

import contextlib
import io
import time
import zipfile
from pathlib import Path
from typing import Any

import fastexcel
import pandera.polars as pandera
import polars as pl
import psycopg
from python_calamine import CalamineWorkbook

from benchmarks.bare_columns import bare_columns
from tms_pipeline.records.kinds import kind_named

PIECE = 1 << 20


# -- reading ------------------------------------------------------------------------------------------------------


def bytes_of(path: str) -> dict[str, Any]:
    """The floor: a CSV's bytes read; of a workbook its sheets and strings inflated."""
    size = 0
    if path.endswith(".csv"):
        with Path(path).open("rb") as file:
            while piece := file.read(PIECE):
                size += len(piece)
        return {"bytes": size}
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if name.endswith(".xml"):
                with book.open(name) as part:
                    while piece := part.read(PIECE):
                        size += len(piece)
    return {"bytes": size}


def fastexcel_arrow(path: str) -> dict[str, Any]:
    """fastexcel to an Arrow batch."""
    began = time.perf_counter()
    batch = fastexcel.read_excel(path).load_sheet(0).to_arrow()
    return {"seconds": time.perf_counter() - began, "rows": batch.num_rows}


def polars_excel(path: str) -> dict[str, Any]:
    """polars.read_excel (calamine)."""
    began = time.perf_counter()
    frame = pl.read_excel(path, infer_schema_length=0)
    return {"seconds": time.perf_counter() - began, "rows": frame.height}


def calamine_rows(path: str) -> dict[str, Any]:
    """python-calamine to Python rows, and nothing else."""
    began = time.perf_counter()
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    return {"seconds": time.perf_counter() - began, "rows": len(rows) - 1}


def polars_csv(path: str) -> dict[str, Any]:
    """polars.read_csv, all text."""
    began = time.perf_counter()
    frame = pl.read_csv(path, infer_schema=False)
    return {"seconds": time.perf_counter() - began, "rows": frame.height}


# -- loading and checking -----------------------------------------------------------------------------------------


def polars_landing(conninfo: str, path: str, kind: str) -> dict[str, Any]:
    """Read by polars, checked by pandera on polars, loaded by psycopg COPY: the same work without guards."""
    schema = polars_model(kind)
    began = time.perf_counter()
    frame = pl.read_csv(path, infer_schema=False) if path.endswith(".csv") else pl.read_excel(path, infer_schema_length=0)
    named = frame.rename(dict(zip(frame.columns, _names(kind, len(frame.columns)), strict=True)))
    with contextlib.suppress(pandera.errors.SchemaErrors):  # findings, which is what a check is for
        schema.validate(named, lazy=True)
    sink = io.BytesIO()
    named.write_csv(sink, include_header=False)
    with psycopg.connect(conninfo) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_landing")
        connection.execute(f"CREATE TABLE peer_landing ({', '.join(f'{name} text' for name in named.columns)})")
        with connection.cursor().copy("COPY peer_landing FROM STDIN (FORMAT CSV)") as copy:
            copy.write(sink.getbuffer())
    return {"seconds": time.perf_counter() - began, "rows": named.height}


def polars_checks(rows: int, kind: str) -> dict[str, Any]:
    """pandera on polars over the frame of row_checks."""
    from benchmarks.row_checks import frame_of

    frame = pl.DataFrame({name: column.tolist() for name, column in frame_of(rows).items()}, infer_schema_length=1)
    frame = frame.with_columns(pl.all().cast(pl.String))
    schema = polars_model(kind)
    began = time.perf_counter()
    schema.validate(frame, lazy=True)
    return {"seconds": time.perf_counter() - began, "rows": frame.height}


def polars_model(kind: str) -> Any:
    """The bare model of row_checks for polars: lengths and patterns of each column."""
    return pandera.DataFrameSchema(bare_columns(kind, pandera, pl.String, required=False))


def nric_passes(column: Any) -> Any:
    """The checksum of NRICs as polars expressions of whole columns."""
    from tms_pipeline.intake.nric import LETTERS, OFFSETS

    number = pl.col("n")
    first = number.str.slice(0, 1)
    total = sum(
        (number.str.slice(place + 1, 1).cast(pl.Int32, strict=False) * weight for place, weight in enumerate((2, 7, 6, 5, 4, 3, 2))),
        start=first.replace_strict(OFFSETS, default=None, return_dtype=pl.Int32),
    )
    letters = {f"{series}{place}": letter for series, row in LETTERS.items() for place, letter in enumerate(row)}
    wanted = (first + (total % 11).cast(pl.String)).replace_strict(letters, default=None)
    return pl.DataFrame({"n": column}).select((wanted == number.str.slice(8, 1)).fill_null(False).alias("ok"))["ok"]


def _names(kind: str, count: int) -> list[str]:
    return [*(item.name for item in kind_named(kind).fields), "remarks"][:count]


# -- differences --------------------------------------------------------------------------------------------------


def polars_join(conninfo: str, ours: str, theirs: str) -> dict[str, Any]:
    """Key and hash of both sides out of Postgres by COPY, joined by polars."""
    began = time.perf_counter()
    frames = []
    with psycopg.connect(conninfo) as connection:
        for table in (ours, theirs):
            sink = io.BytesIO()
            with connection.cursor().copy(f"COPY (SELECT key, encode(ssg_hash, 'hex') AS h FROM {table}) TO STDOUT (FORMAT CSV, HEADER)") as copy:
                for piece in copy:
                    sink.write(piece)
            sink.seek(0)
            frames.append(pl.read_csv(sink, infer_schema=False))
    joined = frames[0].join(frames[1], on="key", how="full", suffix="_ssg")
    found = joined.filter(pl.col("h").ne_missing(pl.col("h_ssg"))).height
    return {"seconds": time.perf_counter() - began, "found": found}

