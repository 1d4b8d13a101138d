"""Legal holds: somebody's data stay, whatever a rule of retention says, until the hold is released."""

from __future__ import annotations

from typing import Any

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.roles.reasons import checked
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace


def known(connection: Connection, trainee_ref: str) -> None:
    """Raises LookupError with one sentence for a trainee that nobody knows, or that was shredded."""
    row = connection.execute(
        "SELECT x.trainee_ref IS NOT NULL FROM identity.trainee t LEFT JOIN rights.shredded x USING (trainee_ref) "
        "WHERE t.trainee_ref = %s",
        (trainee_ref,),
    ).fetchone()
    if row is None:
        raise LookupError(f"There is no trainee {trainee_ref[:20]}; 'tms trace' and the reports show the references.")
    if row[0]:
        raise LookupError(f"The trainee {trainee_ref} was shredded; nothing is kept that names the person.")


def hold(workplace: Workplace, trainee_ref: str, reason: str, *, actor: Actor) -> None:
    """Hold somebody's data.

    Raises LookupError for an unknown trainee, ValueError without a reason or for a second hold.
    """
    if not reason.strip():
        raise ValueError("A legal hold needs a reason.")
    checked(reason)
    with workplace.db.transaction() as connection:
        known(connection, trainee_ref)
        made = connection.execute(
            "INSERT INTO rights.legal_hold (trainee_ref, reason, held_by) VALUES (%s, %s, %s) "
            "ON CONFLICT (trainee_ref) WHERE released_at IS NULL DO NOTHING",
            (trainee_ref, reason, actor.name),
        ).rowcount
        if not made:
            raise ValueError(f"The data of {trainee_ref} are held already; 'tms retention holds' shows why.")
        append(connection, workplace.rings.audit.key, actor, "legal hold", "trainee", trainee_ref, reason=reason)


def release(workplace: Workplace, trainee_ref: str, reason: str, *, actor: Actor) -> None:
    """Release a hold. Raises ValueError when there is none, or without a reason."""
    if not reason.strip():
        raise ValueError("Releasing a legal hold needs a reason.")
    checked(reason)
    with workplace.db.transaction() as connection:
        gone = connection.execute(
            "UPDATE rights.legal_hold SET released_at = now(), released_by = %s, release_reason = %s "
            "WHERE trainee_ref = %s AND released_at IS NULL",
            (actor.name, reason, trainee_ref),
        ).rowcount
        if not gone:
            raise ValueError(f"There is no legal hold on {trainee_ref[:20]}.")
        append(connection, workplace.rings.audit.key, actor, "legal hold released", "trainee", trainee_ref,
               reason=reason)  # fmt: skip


def holds(workplace: Workplace) -> list[dict[str, Any]]:
    """The holds that stand."""
    names = ("trainee", "reason", "by", "since")
    return [
        dict(zip(names, row, strict=True))
        for row in workplace.db.rows(
            "SELECT trainee_ref, reason, held_by, held_at FROM rights.legal_hold WHERE released_at IS NULL "
            "ORDER BY held_at"
        )
    ]
