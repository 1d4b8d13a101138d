"""Makes the mirror agree with the registers, as if every record had been submitted and seen: for benchmarks only."""

from __future__ import annotations

from psycopg import sql

from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.store.database import Connection

#: What the mirror of a kind holds beside what all have.
_EXTRA = {
    "course_run": {"ssg_ref": "dense_rank() OVER (ORDER BY r.key)::text"},
    "session": {"ssg_run_id": "r.run_code", "run_code": "r.run_code"},
    "enrolment": {"ssg_run_id": "r.run_code", "run_code": "r.run_code", "trainee_ref": "r.trainee_ref"},
    "fee": {"run_code": "r.run_code", "trainee_ref": "r.trainee_ref", "collection_status": "r.collection_status"},
    "assessment": {"run_code": "r.run_code", "trainee_ref": "r.trainee_ref"},
    "attendance": {
        "ssg_session_id": "r.run_code || '|' || r.session_no",
        "ssg_run_id": "r.run_code",
        "run_code": "r.run_code",
        "session_no": "r.session_no",
        "trainee_ref": "r.trainee_ref",
        "status_code": "'1'",
    },
}


def agree(connection: Connection) -> None:
    """Fill the mirror from the registers: what is live there was seen at SSG, and both sides agreed on it."""
    connection.execute("SET LOCAL ROLE NONE")  # the owner's to empty and analyse
    for kind in SUBMITTED:
        values = {
            "ssg_ref": f"'{kind.name}-' || r.key",
            "key": "r.key",
            "live": "true",
            "own_hash": "r.own_hash",
            "ssg_hash": "r.ssg_hash",
            "seen_how": "'read'",
            "agreed_hash": "r.ssg_hash",
            "agreed_key": "r.key",
            **_EXTRA.get(kind.name, {}),
        }
        connection.execute(sql.SQL("TRUNCATE mirror.{}").format(sql.Identifier(kind.name)))
        connection.execute(
            sql.SQL("INSERT INTO mirror.{} ({}) SELECT {} FROM register.{} r WHERE r.live").format(
                sql.Identifier(kind.name),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.SQL, values.values())),
                sql.Identifier(kind.name),
            )
        )
    # A session's run and a mark's session are named as SSG names them.
    connection.execute(
        "UPDATE mirror.session s SET ssg_run_id = c.ssg_ref FROM mirror.course_run c WHERE c.key = s.run_code"
    )
    connection.execute(
        "UPDATE mirror.enrolment e SET ssg_run_id = c.ssg_ref FROM mirror.course_run c WHERE c.key = e.run_code"
    )
    connection.execute(
        "UPDATE mirror.attendance a SET ssg_run_id = c.ssg_ref FROM mirror.course_run c WHERE c.key = a.run_code"
    )


def analyse(connection: Connection) -> None:
    """What autovacuum does in the minutes after a load."""
    connection.execute("SET LOCAL ROLE NONE")
    for schema in ("register", "mirror"):
        for kind in SUBMITTED:
            connection.execute(sql.SQL("ANALYZE {}.{}").format(sql.Identifier(schema), sql.Identifier(kind.name)))
