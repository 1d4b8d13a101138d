"""What was destroyed since a backup stays destroyed when it comes back: people, rows as they were typed, originals.

Shredding gives an upload that named somebody a fresh data key and seals anew what stays (``intake.landing``). So the
blocks of the dump open no more: those of the replaced database take their place, or nothing does, where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg.types.json import Jsonb

from tms_pipeline.rights.erasing import erase, forget_file_name
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

_BLOCKS = "SELECT upload_id, table_no, block_no, rows_sealed FROM intake.landing_block WHERE upload_id = ANY(%s)"


def note_keys(connection: Connection) -> None:
    """Note the data keys of uploads as the dump has them, before newer ones take their place; until the end of the
    transaction."""
    connection.execute(
        "CREATE TEMP TABLE dumped_key ON COMMIT DROP AS SELECT subject, created_at FROM identity.data_key "
        "WHERE subject LIKE 'upload:%'"
    )


def stay_gone(connection: Connection, people: Iterable[str], ours: Connection | None = None) -> None:
    """Destroy in a restored database what was destroyed since; ``note_keys`` came before, then the newer data keys.

    ``ours``: the database that is replaced, if there is one, which knows what was destroyed, and by which certificate.
    """
    for trainee in sorted(people):
        erase(connection, trainee, by="restore")  # what SSG still shows of them is left to SSG, as then
        connection.execute(query("backups/stay_shredded"), {"ref": trainee, "certificate": "before a restore",
                                                            "rule": "restore"})  # fmt: skip
    closed = [row[0] for row in connection.execute(query("backups/uploads_closed")).fetchall()]
    kept = _landing_of_now(ours, closed) if ours is not None else set()
    _put_landing(connection, closed, kept, ours)
    gone, unnamed = set(closed), set(closed)
    if ours is not None:
        gone |= {row[0] for row in ours.execute("SELECT upload_id FROM intake.upload WHERE archive_name IS NULL")}
        known = ours.execute("SELECT upload_id, file_name FROM intake.upload").fetchall()
        # Of a file that a fresh installation does not know, nobody can tell whether its name held a person's.
        unnamed -= {upload_id for upload_id, name in known if str(name).partition(".")[0] != "removed"}
        unnamed |= {upload_id for upload_id, name in known if str(name).partition(".")[0] == "removed"}
        _certificates(connection, ours)
    connection.execute(query("backups/originals_gone"), {"uploads": sorted(gone)})
    for upload_id in sorted(unnamed):
        forget_file_name(connection, upload_id)


def _landing_of_now(ours: Connection, uploads: list[str]) -> set[tuple[str, int, int]]:
    return {
        (row[0], row[1], row[2]) for row in ours.execute(
            "SELECT upload_id, table_no, block_no FROM intake.landing_block WHERE upload_id = ANY(%s)", (uploads,)
        ).fetchall()
    }  # fmt: skip


def _put_landing(
    connection: Connection, uploads: list[str], kept: set[tuple[str, int, int]], ours: Connection | None
) -> None:
    """The blocks of the replaced database in the place of those of the dump; what has none there goes."""
    whole = {
        upload_id for upload_id in uploads
        if (mine := _numbers(connection, upload_id)) and mine == {place[1:] for place in kept if place[0] == upload_id}
    }  # fmt: skip
    lost = sorted(set(uploads) - whole)
    connection.execute("DELETE FROM intake.landing_block WHERE upload_id = ANY(%s)", (lost,))
    connection.execute(query("backups/rows_gone"), {"uploads": lost})
    if ours is None or not whole:
        return
    for upload_id, table_no, block_no, sealed in ours.execute(_BLOCKS, (sorted(whole),)):
        connection.execute(
            "UPDATE intake.landing_block SET rows_sealed = %s WHERE upload_id = %s AND table_no = %s AND block_no = %s",
            (sealed, upload_id, table_no, block_no),
        )
    connection.cursor().executemany(
        query("backups/row_gone"),
        ours.execute(query("backups/rows_blanked"), {"uploads": sorted(whole)}).fetchall(),
    )


def _numbers(connection: Connection, upload_id: str) -> set[tuple[int, int]]:
    return {
        (row[0], row[1]) for row in connection.execute(
            "SELECT table_no, block_no FROM intake.landing_block WHERE upload_id = %s", (upload_id,)
        ).fetchall()
    }  # fmt: skip


def _certificates(connection: Connection, ours: Connection) -> None:
    """Who was shredded by which certificate, and destructions that are still to be finished."""
    for ref, certificate, rule in ours.execute("SELECT trainee_ref, certificate_id, rule FROM rights.shredded"):
        connection.execute(
            query("backups/stay_shredded"), {"ref": ref, "certificate": certificate, "rule": rule}
        )
    for number, destroyed_at, destroyed_by, sha256, counts, finished_at in ours.execute(
        "SELECT certificate_id, destroyed_at, destroyed_by, sha256, counts, finished_at FROM rights.destruction"
    ):
        connection.execute(query("backups/destruction"), {
            "number": number, "at": destroyed_at, "by": destroyed_by, "sha256": sha256, "counts": Jsonb(counts),
            "finished": finished_at,
        })  # fmt: skip
