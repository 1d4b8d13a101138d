"""Each night: withdrawals that waited for a course take effect, and the end of the audit log is anchored."""

from __future__ import annotations

import structlog

from tms_pipeline.audit.anchors import Anchor, AnchorError, anchor
from tms_pipeline.rights.consent import take_effect
from tms_pipeline.workplace import Workplace

log = structlog.get_logger("tms.rights")


def each_night(workplace: Workplace) -> Anchor | None:
    """Do both; a file of anchors that was changed is told, and stops no night: 'tms audit verify' shows it."""
    take_effect(workplace, actor=workplace.actor(role="system"))
    try:
        with workplace.db.transaction() as connection:
            return anchor(connection, workplace.rings.audit, workplace.home)
    except (AnchorError, ValueError, KeyError, OSError) as error:
        log.error("the audit log was not anchored", error=type(error).__name__)
        return None
