"""Consent: what somebody withdraws, when it takes effect, and what it cannot stop.

Only contact details rest on consent: there is no marketing, and what SSG is sent is a duty of the provider for as long
as a course is funded. So e-mail address and phone are taken out as soon as the last course is over and nothing of it is
under way, out of the register and its history, and no later file brings them back until the consent is given again.
"""

from __future__ import annotations

from datetime import date

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.rights import requests
from tms_pipeline.rights.holds import known
from tms_pipeline.roles.reasons import checked
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

PURPOSE = "contact"
WHY = "consent to contact details withdrawn"


def withdraw(
    workplace: Workplace, trainee_ref: str, *, actor: Actor, reason: str = "", withdrawn_on: date | None = None
) -> bool:
    """Record the withdrawal and take the details out if that can be now; False if it waits for a course.

    Raises LookupError for an unknown trainee, ValueError for a second withdrawal.
    """
    checked(reason)
    with workplace.db.transaction() as connection:
        requests.record(connection, workplace, trainee_ref, "consent", actor=actor, received_on=withdrawn_on,
                        fields=("email", "phone"))  # fmt: skip
        made = connection.execute(
            "INSERT INTO rights.withdrawal (trainee_ref, purpose, reason, withdrawn_on, recorded_by) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (trainee_ref, purpose) WHERE given_again_at IS NULL DO NOTHING",
            (trainee_ref, PURPOSE, reason, withdrawn_on or workplace.today(), actor.name),
        ).rowcount
        if not made:
            raise ValueError(f"{trainee_ref} has withdrawn this consent already.")
        append(connection, workplace.rings.audit.key, actor, "consent withdrawn", "trainee", trainee_ref,
               purpose=PURPOSE)  # fmt: skip
    return trainee_ref in take_effect(workplace, actor=actor)


def take_effect(workplace: Workplace, *, actor: Actor) -> list[str]:
    """Take the contact details out of everybody whose withdrawal waits for nothing any more; returns the references."""
    done = []
    with workplace.db.transaction() as connection:
        for (ref,) in connection.execute(query("rights/withdrawals_due"), {"today": workplace.today()}).fetchall():
            connection.execute(
                "UPDATE rights.withdrawal SET effective_at = now() WHERE trainee_ref = %s AND purpose = %s "
                "AND given_again_at IS NULL",
                (ref, PURPOSE),
            )
            for kind in ("enrolment",):
                connection.execute(
                    query("rights/settle", register=f"register.{kind}"),
                    {"kind": kind, "ref": ref, "by": actor.name, "why": WHY},
                )
            for table in ("register.trainee", "register.trainee_history"):
                connection.execute(
                    f"UPDATE {table} SET email_sealed = NULL, email_mark = NULL, phone_sealed = NULL, "  # noqa: S608
                    "phone_mark = NULL WHERE trainee_ref = %s",
                    (ref,),
                )
            requests.answered(connection, ref, "consent", "contact details taken out", actor=actor)
            append(connection, workplace.rings.audit.key, actor, "contact details taken out", "trainee", ref,
                   purpose=PURPOSE)  # fmt: skip
            done.append(ref)
    return done


def give_again(workplace: Workplace, trainee_ref: str, *, actor: Actor) -> None:
    """The consent is given again: the next file with the details is taken in. Raises ValueError if it stands."""
    with workplace.db.transaction() as connection:
        known(connection, trainee_ref)
        gone = connection.execute(
            "UPDATE rights.withdrawal SET given_again_at = now(), given_again_by = %s "
            "WHERE trainee_ref = %s AND purpose = %s AND given_again_at IS NULL",
            (actor.name, trainee_ref, PURPOSE),
        ).rowcount
        if not gone:
            raise ValueError(f"{trainee_ref} has not withdrawn this consent.")
        _forget_settlements(connection, trainee_ref)
        append(connection, workplace.rings.audit.key, actor, "consent given again", "trainee", trainee_ref,
               purpose=PURPOSE)  # fmt: skip


def _forget_settlements(connection: Connection, trainee_ref: str) -> None:
    connection.execute(
        "UPDATE outbox.resolution SET ended_at = now() WHERE ended_at IS NULL AND reason = %s "
        "AND %s = ANY (string_to_array(key, '|'))",
        (WHY, trainee_ref),
    )
    # Else the very same row would count as unchanged, and stay without its details.
    connection.execute(
        "UPDATE register.trainee SET row_hash = sha256(row_hash) WHERE trainee_ref = %s", (trainee_ref,)
    )
