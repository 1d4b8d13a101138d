"""Canonical frames for the tests: one good row of every kind, and frames made from it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from tms_pipeline.records.checks import RowFault, check_rows
from tms_pipeline.records.kinds import kind_named

TODAY = date(2026, 9, 1)

GOOD: dict[str, dict[str, str | None]] = {
    "course": {
        "course_reference": "TGS-2026000101",
        "course_title": "Food Hygiene for Hawkers",
        "skill_code": "FSS-FSE-1001-1.1",
        "full_course_fee": "480.00",
    },
    "trainer": {
        "trainer_code": "TR-01",
        "trainer_name": "A Trainer",
        "trainer_nric": "S9999001A",
        "trainer_email": "trainer@example.sg",
        "domain": "Cooked food",
    },
    "course_run": {
        "run_code": "HYG-2609-A",
        "course_reference": "TGS-2026000101",
        "registration_open": "2026-08-01",
        "registration_close": "2026-09-05",
        "start_date": "2026-09-07",
        "end_date": "2026-09-09",
        "schedule_info": "Mon to Wed",
        "mode_of_training": "1",
        "floor": "01",
        "unit": "02",
        "postal_code": "048616",
        "room": "Kitchen 1",
        "intake_size": "25",
        "admin_email": "courses@example.sg",
        "run_status": "confirmed",
    },
    "session": {
        "run_code": "HYG-2609-A",
        "session_no": "1",
        "session_date": "2026-09-07",
        "start_time": "09:00",
        "end_time": "17:00",
        "mode_of_training": "1",
        "session_status": "confirmed",
    },
    "trainee": {
        "nric": "S9999001A",
        "full_name": "A Trainee",
        "birth_date": "1990-05-03",
        "email": "trainee@example.sg",
        "phone": "91234567",
        "phone_country": "65",
        "residency": "citizen",
    },
    "enrolment": {
        "run_code": "HYG-2609-A",
        "nric": "S9999001A",
        "enrolment_date": "2026-08-20",
        "sponsorship_type": "EMPLOYER",
        "employer_uen": "201003953Z",
        "employer_contact_name": "A Contact",
        "employer_contact_email": "hr@example.sg",
        "employer_contact_phone": "61234567",
        "discount_amount": "0.00",
        "enrolment_status": "confirmed",
    },
    "fee": {
        "run_code": "HYG-2609-A",
        "nric": "S9999001A",
        "collection_status": "Full Payment",
        "amount_collected": "48.00",
        "collected_on": "2026-09-01",
    },
    "attendance": {"run_code": "HYG-2609-A", "session_no": "1", "nric": "S9999001A", "mark": "present"},
    "assessment": {
        "run_code": "HYG-2609-A",
        "nric": "S9999001A",
        "skill_code": "",
        "assessment_date": "2026-09-01",
        "result": "Pass",
        "score": "80",
        "grade": "B",
    },
}


def frame_of(kind: str, *rows: dict[str, str | None]) -> pd.DataFrame:
    """A canonical frame: the good row of the kind, changed as each of ``rows`` says."""
    names = kind_named(kind).names
    filled: list[dict[str, Any]] = [{**dict.fromkeys(names), **GOOD[kind], **row} for row in rows]
    return pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in names})


def faults_of(kind: str, *rows: dict[str, str | None], today: date = TODAY) -> list[RowFault]:
    return check_rows(kind_named(kind), frame_of(kind, *rows), today=today).faults


def codes(kind: str, today: date = TODAY, **changes: Any) -> list[tuple[str, str | None]]:
    """Code and field of each fault of the good row with these changes."""
    return [(fault.code, fault.field) for fault in faults_of(kind, changes, today=today)]
