"""Undo of an upload: the registers go back row by row; what SSG holds already becomes a change to submit.

Every record ends in exactly one of: reversed, kept because it was changed since, kept because others depend on it
or because SSG lets nobody take it back, kept because another upload says the same, taken back at SSG with the next
plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.intake.said_too import say_again, uploads_that_may_say_so
from tms_pipeline.records.content import LIVE_WORDS
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.registers.upsert import register_columns
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import columns, query
from tms_pipeline.workplace import Workplace

# Any constant: an undo takes its turn among the intakes (the same number as theirs).
_LOCK = 7_310_003
_KEPT_BY_REGISTER = frozenset({"key", "version", "valid_from"})
# The word that says "not any more", by kind.
_WITHDRAWN = {
    "course_run": "cancelled",
    "session": "cancelled",
    "enrolment": "withdrawn",
    "attendance": "absent",
    "assessment": "voided",
}
# What hangs on a record of each kind.
_DEPENDED_ON = {
    "course": "EXISTS (SELECT FROM register.course_run x WHERE x.course_reference = r.key)",
    "trainer": "EXISTS (SELECT FROM register.course_run x WHERE r.key = ANY(string_to_array(x.trainer_codes, ';')))",
    "course_run": "EXISTS (SELECT FROM register.session x WHERE x.run_code = r.key) "
    "OR EXISTS (SELECT FROM register.enrolment x WHERE x.run_code = r.key)",
    "session": "EXISTS (SELECT FROM register.attendance x "
    "WHERE x.run_code = r.run_code AND x.session_no = r.session_no)",
    "trainee": "EXISTS (SELECT FROM register.enrolment x WHERE x.trainee_ref = r.trainee_ref)",
    "enrolment": "EXISTS (SELECT FROM register.fee x WHERE x.key = r.key) OR EXISTS (SELECT FROM register.attendance x "
    "WHERE x.run_code = r.run_code AND x.trainee_ref = r.trainee_ref) OR EXISTS (SELECT FROM register.assessment x "
    "WHERE x.run_code = r.run_code AND x.trainee_ref = r.trainee_ref)",
}
# What counts and hangs on a record that SSG holds, other than what the same upload brought, which goes with it.
_COUNTED_ON = {
    "course_run": "EXISTS (SELECT FROM register.session x "
    "WHERE x.run_code = r.key AND x.live AND x.upload_id <> r.upload_id) "
    "OR EXISTS (SELECT FROM register.enrolment x WHERE x.run_code = r.key AND x.live AND x.upload_id <> r.upload_id)",
    "session": "EXISTS (SELECT FROM register.attendance x WHERE x.run_code = r.run_code "
    "AND x.session_no = r.session_no AND x.live AND x.upload_id <> r.upload_id)",
    "enrolment": "EXISTS (SELECT FROM register.fee x WHERE x.key = r.key AND x.upload_id <> r.upload_id) "
    "OR EXISTS (SELECT FROM register.attendance x WHERE x.run_code = r.run_code "
    "AND x.trainee_ref = r.trainee_ref AND x.live AND x.upload_id <> r.upload_id) "
    "OR EXISTS (SELECT FROM register.assessment x WHERE x.run_code = r.run_code "
    "AND x.trainee_ref = r.trainee_ref AND x.live AND x.upload_id <> r.upload_id)",
}


@dataclass
class Undone:
    """What became of the records of an upload: kind → keys, by outcome."""

    reversed: dict[str, list[str]] = field(default_factory=dict)
    to_take_back_at_ssg: dict[str, list[str]] = field(default_factory=dict)
    kept_changed_since: dict[str, list[str]] = field(default_factory=dict)
    kept_depended_on: dict[str, list[str]] = field(default_factory=dict)
    kept_said_too: dict[str, list[str]] = field(default_factory=dict)
    #: Changes of these records that stood ready for SSG and will not be sent, and those that were being sent.
    not_to_be_sent: int = 0
    on_their_way: int = 0

    def counts(self) -> dict[str, int]:
        """How many records ended in each way."""
        return {
            "reversed": sum(map(len, self.reversed.values())),
            "to take back at SSG": sum(map(len, self.to_take_back_at_ssg.values())),
            "kept, changed since": sum(map(len, self.kept_changed_since.values())),
            "kept, others depend on it": sum(map(len, self.kept_depended_on.values())),
            "kept, as another upload says": sum(map(len, self.kept_said_too.values())),
        }

    def sentences(self) -> list[str]:
        """What an ops person must know of it, in plain words."""
        told = ["Taken back: " + ", ".join(f"{count} {name}" for name, count in self.counts().items() if count) + "."]
        if not any(self.counts().values()):
            told = ["Taken back; none of its rows stood in our records any more."]
        if self.not_to_be_sent:
            told.append(
                f"{self.not_to_be_sent} change{'s' if self.not_to_be_sent > 1 else ''} of these records stood ready "
                "for SSG and will not be sent: every change is compared with our records before it goes, and the next "
                "plan takes it off the list."
            )
        if self.on_their_way:
            told.append(
                f"{self.on_their_way} {'were' if self.on_their_way > 1 else 'was'} being sent just now or has no known "
                "outcome yet; once it is known, the next plan takes back at SSG what arrived there."
            )
        if self.to_take_back_at_ssg:
            told.append("What SSG holds already is taken back there by the next plan; look at it with 'tms plan'.")
        return told


@needs("intake")
def undo(workplace: Workplace, upload_id: str, *, actor: Actor) -> Undone:
    """Put the registers back to before the upload. Raises LookupError if it was not taken in."""
    done = Undone()
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        state = connection.execute(
            "SELECT state FROM intake.upload WHERE upload_id = %s FOR UPDATE", (upload_id,)
        ).fetchone()
        if state is None:
            raise LookupError(f"There is no upload {upload_id}; 'tms summary' lists them.")
        if state[0] != "taken in":
            raise LookupError(f"Upload {upload_id} is {state[0]}; only one that was taken in can be undone.")
        for kind in reversed(KINDS.values()):
            names = register_columns(connection, kind)
            values = tuple(name for name in names if name not in _KEPT_BY_REGISTER)
            parts: dict[str, sql.Composable | str] = {
                "register": f"register.{kind.name}",
                "history": f"register.{kind.name}_history",
                # A trainee is at SSG inside the enrolments; its own table there does not exist.
                "mirror": f"mirror.{kind.name}" if kind.name != "trainee" else "mirror.enrolment",
                "columns": columns(names),
                "register_columns": columns(names, "r."),
            }
            who = {"upload_id": upload_id}
            _note(
                done.kept_changed_since,
                kind.name,
                connection.execute(
                    query("undo/changed_since", register=parts["register"], history=parts["history"]), who
                ).fetchall(),
            )
            _note(
                done.reversed,
                kind.name,
                connection.execute(
                    query(
                        "undo/restore",
                        register=parts["register"],
                        history=parts["history"],
                        columns=parts["columns"],
                        register_columns=parts["register_columns"],
                        history_columns=columns(names, "h."),
                        value_columns=columns(values),
                        before_values=columns(values, "b."),
                    ),
                    who,
                ).fetchall(),
            )
            if kind.name in _WITHDRAWN:
                _note(
                    done.to_take_back_at_ssg,
                    kind.name,
                    connection.execute(
                        query(
                            "undo/take_back",
                            register=parts["register"],
                            history=parts["history"],
                            mirror=parts["mirror"],
                            columns=parts["columns"],
                            register_columns=parts["register_columns"],
                            status=LIVE_WORDS[kind.name][0],
                            depended_on=sql.SQL(_COUNTED_ON.get(kind.name, "false")),
                        ),
                        {**who, "word": _WITHDRAWN[kind.name], "kind": kind.name},
                    ).fetchall(),
                )
            taken_back = done.to_take_back_at_ssg.get(kind.name, [])
            _note(
                done.reversed,
                kind.name,
                connection.execute(
                    query(
                        "undo/remove",
                        **parts,
                        gone_columns=columns(names, "r."),
                        depended_on=sql.SQL(_DEPENDED_ON.get(kind.name, "false")),
                    ),
                    {**who, "taken_back": taken_back},
                ).fetchall(),
            )
            left = connection.execute(
                sql.SQL("SELECT key FROM register.{} WHERE upload_id = %s AND NOT key = ANY(%s)").format(
                    sql.Identifier(kind.name)
                ),
                (upload_id, taken_back),
            ).fetchall()
            _note(done.kept_depended_on, kind.name, left)
        # SSG holds a trainee inside each enrolment: either of the two that went back changes what it should hold.
        connection.execute(
            query("undo/enrolment_hash"),
            {name: done.reversed.get(name, []) for name in ("enrolment", "trainee")},
        )
        may_say_so = uploads_that_may_say_so(connection, upload_id, _moved(done))
        connection.execute(
            "UPDATE intake.upload SET state = 'undone', finished_at = now() WHERE upload_id = %s", (upload_id,)
        )
        _keep_what_others_say(connection, workplace, done, may_say_so, actor)
        moved = [
            (kind, key)
            for found in (done.reversed, done.to_take_back_at_ssg)
            for kind, keys in found.items()
            for key in keys
        ]
        done.not_to_be_sent, done.on_their_way = connection.execute(
            query("undo/submissions"), {"kinds": [kind for kind, _ in moved], "keys": [key for _, key in moved]}
        ).fetchall()[0]
        connection.execute(
            "UPDATE intake.upload SET sentence = %s WHERE upload_id = %s", (" ".join(done.sentences()), upload_id)
        )
        append(
            connection,
            workplace.rings.audit.key,
            actor,
            "upload undone",
            "upload",
            upload_id,
            **{name.replace(" ", "_").replace(",", ""): count for name, count in done.counts().items()},
        )
    return done


def _moved(done: Undone) -> dict[str, list[str]]:
    kinds = sorted({*done.reversed, *done.to_take_back_at_ssg})
    return {kind: [*done.reversed.get(kind, []), *done.to_take_back_at_ssg.get(kind, [])] for kind in kinds}


def _keep_what_others_say(
    connection: Connection, workplace: Workplace, done: Undone, uploads: list[str], actor: Actor
) -> None:
    for kind, key in sorted(say_again(connection, workplace, uploads, _moved(done), actor=actor)):
        _note(done.kept_said_too, kind, [(key,)])
        for outcome in (done.reversed, done.to_take_back_at_ssg):
            if key in outcome.get(kind, []):
                outcome[kind].remove(key)
    for outcome in (done.reversed, done.to_take_back_at_ssg):
        for kind in [name for name, keys in outcome.items() if not keys]:
            del outcome[kind]


def _note(where: dict[str, list[str]], kind: str, rows: list[tuple[str]]) -> None:
    if rows:
        where.setdefault(kind, []).extend(row[0] for row in rows)
