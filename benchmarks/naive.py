"""The pipeline that a competent user would write with the same libraries: read, check, to_sql, merge, post one by one.

It keeps people in clear, knows no history, no audit, no retries: what ours does beside the work is in ours alone.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pandera.pandas as pandera
from sqlalchemy import Engine, create_engine, text

from benchmarks.harness import Clock
from tms_pipeline.examples.people import nric_is_valid
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.ssg.crypto import BodyCipher

TIMED_CALLS = 500
KEY = ["Course Run", "Session No", "NRIC/FIN"]
MARKS = {"present": "present", "p": "present", "late": "late", "absent": "absent"}


def read(path: str) -> pd.DataFrame:
    """Read as pandas does by default; for a workbook that is openpyxl."""
    if path.endswith(".csv"):
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.read_excel(path, dtype=str, keep_default_na=False)


def schema() -> pandera.DataFrameSchema:
    """The checks of our attendance kind, as its documentation suggests to write them."""
    return pandera.DataFrameSchema(
        {
            "Course Run": pandera.Column(str, pandera.Check.str_length(1, 20)),
            "Session No": pandera.Column(str, pandera.Check.str_matches(r"^\d{1,3}$")),
            "NRIC/FIN": pandera.Column(str, pandera.Check(nric_is_valid, element_wise=True)),
            "Attendance": pandera.Column(str, pandera.Check(lambda one: one.str.lower().isin(MARKS))),
            "Hours": pandera.Column(str, pandera.Check.str_matches(r"^\d*\.?\d*$")),
        }
    )


def prepare(database: str, path: str) -> dict[str, Any]:
    """Register and mirror as they stood after the file of the turn before."""
    engine = create_engine(database)
    frame = _canonical(read(path))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS naive"))
        frame.to_sql("register", connection, schema="naive", if_exists="replace", index=False, chunksize=10_000)
        connection.execute(text('ALTER TABLE naive.register ADD PRIMARY KEY ("Course Run", "Session No", "NRIC/FIN")'))
        connection.execute(text("DROP TABLE IF EXISTS naive.mirror"))
        connection.execute(text("CREATE TABLE naive.mirror AS SELECT * FROM naive.register"))
        connection.execute(text('ALTER TABLE naive.mirror ADD PRIMARY KEY ("Course Run", "Session No", "NRIC/FIN")'))
    return {}


def land(database: str, path: str, kind: str) -> dict[str, Any]:
    """A file read, checked as a whole and put into a table, as one writes it with pandas and pandera."""
    from benchmarks.row_checks import bare_model

    clock = Clock()
    frame = read(path)
    clock.took("read")
    frame.columns = pd.Index([*(item.name for item in kind_named(kind).fields), "remarks"][: len(frame.columns)])
    with contextlib.suppress(pandera.errors.SchemaErrors):
        bare_model(kind).validate(frame, lazy=True)
    clock.took("check")
    to_table(create_engine(database), frame, "landing")
    clock.took("to_sql")
    return {"rows": len(frame), "parts": clock.parts}


def to_table(engine: Engine, frame: pd.DataFrame, name: str) -> None:
    """DataFrame.to_sql into a table of its own."""
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS naive"))
        frame.to_sql(name, connection, schema="naive", if_exists="replace", index=False, chunksize=10_000)


def upsert(engine: Engine, good: pd.DataFrame) -> None:
    """Into a stage by to_sql, then every row onto the register, changed or not."""
    to_table(engine, good, "stage")
    others = [name for name in good.columns if name not in KEY]
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO naive.register SELECT * FROM naive.stage "
                'ON CONFLICT ("Course Run", "Session No", "NRIC/FIN") DO UPDATE SET '
                + ", ".join(f'"{name}" = excluded."{name}"' for name in others)
            )
        )


def post(client: httpx.Client, ssg: str, cipher: BodyCipher, row: Any) -> bool:
    """One attendance mark to SSG, waited for."""
    body = {
        "uen": "201912345K",
        "corppassId": "S9999101A",
        "course": {
            "sessionID": f"{row['Course Run']}|{row['Session No']}",
            "referenceNumber": "TGS-2026000101",
            "attendance": {
                "status": {"code": "4" if row["Attendance"] == "absent" else "1"},
                "trainee": {"id": row["NRIC/FIN"], "name": "Made Up", "idType": {"code": "SB"}},
            },
        },
    }
    reply = client.post(f"{ssg}/courses/runs/1/sessions/attendance", content=cipher.encrypt(json.dumps(body)))
    return reply.status_code == 200


def run(database: str, path: str, ssg: str, report: str) -> dict[str, Any]:
    """The whole job; says what each part took.

    Past TIMED_CALLS changes the calls after them are made at once and not timed: they come one after the other, so
    the time of all follows from that of the first.
    """
    engine = create_engine(database)
    clock = Clock()
    frame = read(path)
    clock.took("read")
    try:
        schema().validate(frame, lazy=True)
        bad: set[int] = set()
    except pandera.errors.SchemaErrors as errors:
        bad = set(errors.failure_cases["index"].dropna().astype(int))
    good = _canonical(frame.drop(index=list(bad)))
    clock.took("check")
    to_table(engine, frame, "landing")
    clock.took("to_sql")
    upsert(engine, good)
    clock.took("upsert")
    ours = pd.read_sql('SELECT "Course Run", "Session No", "NRIC/FIN", "Attendance" FROM naive.register', engine)
    theirs = pd.read_sql('SELECT "Course Run", "Session No", "NRIC/FIN", "Attendance" FROM naive.mirror', engine)
    clock.took("read_sql")
    both = ours.merge(theirs, on=KEY, how="outer", suffixes=("", "_ssg"), indicator=True)
    changes = both[(both["_merge"] != "both") | (both["Attendance"] != both["Attendance_ssg"])]
    changes = changes[(changes["Attendance"] == "absent") != (changes["Attendance_ssg"] == "absent")]
    clock.took("merge")
    cipher = BodyCipher("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    rows = changes.to_dict("records")
    with httpx.Client() as client:
        said_yes = [post(client, ssg, cipher, row) for row in rows[:TIMED_CALLS]]
    clock.took("submit")
    clock.parts["submit"] = round(clock.parts["submit"] * max(1.0, len(rows) / TIMED_CALLS), 3)
    said_yes += [True] * (len(rows) - len(said_yes))
    sent = [
        {"r": row["Course Run"], "s": row["Session No"], "n": row["NRIC/FIN"], "a": row["Attendance"]}
        for row, yes in zip(rows, said_yes, strict=True)
        if yes
    ]
    with engine.begin() as connection:
        if sent:
            connection.execute(
                text('UPDATE naive.mirror SET "Attendance" = :a WHERE "Course Run" = :r AND "Session No" = :s AND "NRIC/FIN" = :n'),
                sent,
            )
    clock.took("write back")
    changes.head(100_000).to_excel(Path(report) / "changes.xlsx", index=False)
    frame.loc[sorted(bad)].to_excel(Path(report) / "fix.xlsx", index=False)
    clock.took("report")
    return {
        "seconds": sum(clock.parts.values()), "rows": len(frame), "good": len(good), "changes": len(sent),
        "calls timed": min(len(rows), TIMED_CALLS), "parts": clock.parts,
    }  # fmt: skip


def _canonical(frame: pd.DataFrame) -> pd.DataFrame:
    good = frame.copy()
    good["Attendance"] = good["Attendance"].str.lower().map(MARKS)
    return good
