"""Grant calculator: an estimate per course (ssg-api 8.2). The reply shape was never captured [U]."""

from __future__ import annotations

from .calls import Call
from .codes import FUNDING_COMPONENTS, FUNDING_SCHEMES
from .envelopes import BLANK, INVALID, Json, Reply, detail, tpg_error, tpg_reply
from .fields import dig, text, truth


def _reference(item: Json) -> str:
    return text(item.get("courseReferenceNumber")) or text(dig(item, "course.referenceNumber"))


def estimate(call: Call) -> Reply:
    """POST /grantCalculators/individual and /personalised, both wrappers (ssg-api 8.2)."""
    body = call.body if isinstance(call.body, dict) else {}
    given = body.get("courses")
    if not isinstance(given, list) or not given:
        raise tpg_error(400, INVALID, [detail("courses", BLANK)])
    rows, problems = [], []
    for number, item in enumerate(given):
        reference = _reference(item) if isinstance(item, dict) else ""
        course = call.world.course(reference)
        if course is None:
            problems.append(
                detail(
                    f"courses[{number}].courseReferenceNumber",
                    BLANK if not reference else "TGS-406 - Invalid course reference number",
                )
            )
            continue
        sponsored = truth(dig(body, "applicant.employerSponsored")) or bool(
            text(dig(item, "trainee.sponsoringEmployerUen"))
        )
        schemes = [("BASELINE", 0.5)] + ([("ETSS", 0.2)] if sponsored else [])
        rows.append(
            {
                "courseReferenceNumber": course["referenceNumber"],
                "trainingPartnerUen": course["uen"],
                "title": course["title"],
                "grants": [
                    {
                        "fundingScheme": {"code": code, "description": FUNDING_SCHEMES[code]},
                        "fundingComponent": {"code": "CF", "description": FUNDING_COMPONENTS["CF"]},
                        "grantAmount": {"estimated": f"{course['trainingCost'] * share:.2f}"},
                    }
                    for code, share in (schemes if course["support"] else [])
                ],
            }
        )
    if problems:
        raise tpg_error(400, INVALID, problems)
    return tpg_reply(rows, {})
