"""What the SSG simulator must know before the first sync: the provider's application and its courses."""

from __future__ import annotations

from typing import Any

from tms_pipeline.examples.term import Term


def ssg_data(term: Term, *, uen: str, key: str, name: str) -> dict[str, Any]:
    """The data file for the simulator: one app for the provider, and the term's courses without any run."""
    return {
        "apps": [{"uen": uen, "key": key, "name": name}],
        # SSG takes days; the demo shall show grants of every age.
        "settings": {"grant_appears_seconds": 0.0, "grant_completes_seconds": 25.0},
        "courses": [
            {
                "referenceNumber": course.reference,
                "externalReferenceNumber": f"{course.code}-{course.reference[-4:]}",
                "title": course.title,
                "uen": uen,
                "skillCodes": [course.skill_code],
                "support": [],
            }
            for course in term.courses
        ],
    }
