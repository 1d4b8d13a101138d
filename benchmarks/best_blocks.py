"""The whole job from the fastest blocks there are, without any of what a pipeline needs beside the work.

fastexcel or polars reads, pandera on polars checks, COPY of text loads, an anti-join upserts, Postgres finds what
differs, 32 calls at a time go to SSG (two httpx clients of 16 each), xlsxwriter reports. No history, no sealing, no
guards, no outbox: what ours is measured against, not what one may run.
"""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import fastexcel
import httpx
import polars as pl
import psycopg
import xlsxwriter

from benchmarks.harness import Clock
from benchmarks.peers import nric_passes
from tms_pipeline.ssg.crypto import BodyCipher

KEY = ("Course Run", "Session No", "NRIC/FIN")
MARKS = {"present": "present", "p": "present", "late": "late", "absent": "absent"}
CALLS, CLIENTS = 32, 2


def read(path: str) -> Any:
    """All columns as text."""
    if path.endswith(".csv"):
        return pl.read_csv(path, infer_schema=False)
    return pl.DataFrame(fastexcel.read_excel(path).load_sheet(0, dtypes="string"))


def good_rows(frame: Any) -> Any:
    """What passes the checks, its marks in one form."""
    mark = pl.col("Attendance").str.to_lowercase()
    return frame.filter(
        pl.col("Course Run").str.len_chars().is_between(1, 20)
        & pl.col("Session No").str.contains(r"^\d{1,3}$")
        & nric_passes(frame["NRIC/FIN"])
        & mark.is_in(list(MARKS))
        & pl.col("Hours").fill_null("").str.contains(r"^\d*\.?\d*$")
    ).with_columns(mark.replace_strict(MARKS).alias("Attendance"))


def run(conninfo: str, path: str, ssg: str, report: str) -> dict[str, Any]:
    """The whole job on the tables that naive.prepare has made; says what each part took."""
    clock = Clock()
    frame = read(path)
    clock.took("read")
    good = good_rows(frame)
    clock.took("check")
    names = ", ".join(f'"{name}"' for name in good.columns)
    key = ", ".join(f'"{name}"' for name in KEY)
    on = " AND ".join(f'r."{name}" = s."{name}"' for name in KEY)
    others = [name for name in good.columns if name not in KEY]
    with psycopg.connect(conninfo) as connection:
        connection.execute("DROP TABLE IF EXISTS naive.best")
        columns = ", ".join(f'"{name}" text' for name in good.columns)
        connection.execute(f"CREATE UNLOGGED TABLE naive.best ({columns})")
        sink = io.BytesIO()
        good.write_csv(sink, include_header=False)
        with connection.cursor().copy(f"COPY naive.best ({names}) FROM STDIN (FORMAT CSV)") as copy:
            copy.write(sink.getbuffer())
        del sink
        clock.took("COPY")
        same = " AND ".join(f'coalesce(r."{name}"::text, \'\') = coalesce(s."{name}", \'\')' for name in others)
        connection.execute("ANALYZE naive.best")
        connection.execute(
            f"CREATE TEMP TABLE differs AS SELECT s.* FROM naive.best s LEFT JOIN naive.register r ON {on} WHERE NOT ({same})"
        )
        connection.execute("ANALYZE differs")
        connection.execute(
            "UPDATE naive.register r SET " + ", ".join(f'"{name}" = s."{name}"' for name in others) + f" FROM differs s WHERE {on}"
        )
        connection.commit()
        clock.took("upsert")
        changes = connection.execute(
            f'SELECT {key}, r."Attendance" FROM naive.register r JOIN naive.mirror m USING ({key}) WHERE (r."Attendance" = \'absent\') <> (m."Attendance" = \'absent\')'
        ).fetchall()
        clock.took("diff")
        asyncio.run(_submit(ssg, changes))
        clock.took("submit")
        connection.execute("CREATE TEMP TABLE said_yes (r text, s text, n text, a text)")
        with connection.cursor().copy("COPY said_yes FROM STDIN") as copy:
            for row in changes:
                copy.write_row(row)
        connection.execute("ANALYZE said_yes")
        connection.execute(
            'UPDATE naive.mirror m SET "Attendance" = a FROM said_yes WHERE m."Course Run" = r AND m."Session No" = s AND m."NRIC/FIN" = n'
        )
        connection.commit()
        clock.took("write back")
    _report(changes, Path(report) / "best.xlsx")
    clock.took("report")
    return {"seconds": sum(clock.parts.values()), "rows": len(frame), "changes": len(changes), "parts": clock.parts}


async def _submit(ssg: str, changes: list[tuple[Any, ...]]) -> None:
    cipher = BodyCipher("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    waiting = iter(changes)

    async def lane(client: httpx.AsyncClient) -> None:
        for run, session, nric, mark in waiting:
            body = {
                "uen": "201912345K", "corppassId": "S9999101A",
                "course": {"sessionID": f"{run}|{session}", "referenceNumber": "TGS-2026000101",
                           "attendance": {"status": {"code": "4" if mark == "absent" else "1"},
                                          "trainee": {"id": nric, "name": "Made Up", "idType": {"code": "SB"}}}},
            }  # fmt: skip
            reply = await client.post(f"{ssg}/courses/runs/1/sessions/attendance", content=cipher.encrypt(json.dumps(body)))
            reply.raise_for_status()

    clients = [httpx.AsyncClient() for _ in range(CLIENTS)]
    await asyncio.gather(*(lane(client) for client in clients for _ in range(CALLS // CLIENTS)))
    await asyncio.gather(*(client.aclose() for client in clients))


def _report(changes: list[tuple[Any, ...]], path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Changes")
    for number, row in enumerate(changes):
        sheet.write_row(number, 0, row)
    book.close()
