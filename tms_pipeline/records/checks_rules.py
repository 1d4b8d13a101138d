"""The rules that one row, or the rows of one upload, must keep, by record kind.

A rule names its code in the fault catalogue, the field that is marked, and why it is there: the number after
"ssg-api" is a section of SSG's interface as we know it. ``failing`` answers with the rows that break the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as kept

import numpy as np

from tms_pipeline.records.checks_columns import NOTHING, Columns, Mask, day_number, mask
from tms_pipeline.records.field import FieldType, RecordKind
from tms_pipeline.records.vocabulary import MODES_WITHOUT_VENUE


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule over whole columns. ``words`` fill the sentence of the code; never a value of a row."""

    code: str
    field: str | None
    why: str
    failing: Callable[[Columns], Mask]
    words: Mapping[str, str] = kept(default_factory=dict)


#: A day after which a date can only be a slip of the keyboard, and how far back a real one may lie, in years.
YEARS_BACK, YEARS_AHEAD = 20, 5
#: A sheet prepared on Friday may carry next week's enrolments; nobody enrols later than that.
ENROLMENT_DAYS_AHEAD = 7
#: Youngest and oldest trainee, in completed years.
YOUNGEST, OLDEST = 14, 100
#: Sittings outside these times of day are nearly always 2:00 typed for 14:00. Minutes of the day.
EARLIEST_START, LATEST_END, LONGEST_SITTING = 6 * 60, 23 * 60, 12 * 60

# ssg-api 9.3: three letters, three letters, four digits, version.
SKILL_CODE = re.compile(r"[A-Z]{3}-[A-Z]{3}-\d{4}-\d{1,2}\.\d{1,2}")
# ssg-api 9.3: a Singapore mobile has eight digits; those of mobiles begin with 8 or 9.
SINGAPORE_MOBILE = re.compile(r"[89]\d{7}")


# -- course run ------------------------------------------------------------------------------------------------


def _closes_before_opening(columns: Columns) -> Mask:
    both = columns.both_days("registration_open", "registration_close")
    return mask(both & (columns.days("registration_close") < columns.days("registration_open")))


def _ends_before_start(columns: Columns) -> Mask:
    return columns.both_days("start_date", "end_date") & (columns.days("end_date") < columns.days("start_date"))


def _starts_before_registration(columns: Columns) -> Mask:
    both = columns.both_days("registration_open", "start_date")
    return mask(both & (columns.days("start_date") < columns.days("registration_open")))


def _venue_lacks(name: str) -> Callable[[Columns], Mask]:
    def failing(columns: Columns) -> Mask:
        # Without a readable mode we cannot tell; and a run that is called off needs no room.
        needed = columns.given("mode_of_training") & ~columns.one_of("mode_of_training", MODES_WITHOUT_VENUE)
        return needed & ~columns.one_of("run_status", {"cancelled"}) & columns.missing(name)

    return failing


COURSE_RUN_RULES = (
    Rule(code="REGISTRATION_CLOSES_BEFORE_OPENING", field="registration_close", failing=_closes_before_opening,
         why="ssg-api 4.1: registration opening must not be after its closing."),
    Rule(code="RUN_ENDS_BEFORE_START", field="end_date", failing=_ends_before_start,
         why="ssg-api 4.1: the course start must not be after its end."),
    Rule(code="RUN_STARTS_BEFORE_REGISTRATION", field="start_date", failing=_starts_before_registration,
         why="ssg-api 4.1: course dates lie not before registration opens (closing may be later: seen in samples)."),
    *(
        Rule(code="VENUE_INCOMPLETE", field=name, failing=_venue_lacks(name),
             why="ssg-api 4.1: floor, unit, postal code and room are needed unless the mode is 2 or 4.")
        for name in ("floor", "unit", "postal_code", "room")
    ),
)  # fmt: skip


# -- session ---------------------------------------------------------------------------------------------------


def _session_ends_before_start(columns: Columns) -> Mask:
    start, end = columns.minutes("start_time"), columns.minutes("end_time")
    return mask((start != NOTHING) & (end != NOTHING) & (end <= start))


def _session_hours_unusual(columns: Columns) -> Mask:
    start, end = columns.minutes("start_time"), columns.minutes("end_time")
    both = (start != NOTHING) & (end > start) & ~columns.one_of("mode_of_training", MODES_WITHOUT_VENUE)
    return mask(both & ((start < EARLIEST_START) | (end > LATEST_END) | (end - start > LONGEST_SITTING)))


def _sessions_overlap(columns: Columns) -> Mask:
    run, _ = columns.codes("run_code")
    number, _ = columns.codes("session_no")
    day, start, end = columns.days("session_date"), columns.minutes("start_time"), columns.minutes("end_time")
    timed = (run >= 0) & (number >= 0) & (day != NOTHING) & (start != NOTHING) & (end > start)
    timed &= ~columns.one_of("session_status", {"cancelled"})
    places = np.flatnonzero(timed)
    overlap = np.zeros(columns.size, dtype=np.bool_)
    if len(places) < 2:
        return overlap
    places = places[np.lexsort((number[places], start[places], day[places], run[places]))]
    # Minutes since a day of its own for each run and day, so that one running maximum serves all of them.
    another = (np.diff(run[places]) != 0) | (np.diff(day[places]) != 0)
    base = np.concatenate(([0], np.cumsum(another))) * 10_000
    latest_end = np.maximum.accumulate(base + end[places])
    overlap[places[1:]] = (base + start[places])[1:] < latest_end[:-1]
    # The same session twice is a repeat or a contradiction, which is told elsewhere.
    overlap[places[1:]] &= (number[places[1:]] != number[places[:-1]]) | (base[1:] != base[:-1])
    return overlap


SESSION_RULES = (
    Rule(code="SESSION_ENDS_BEFORE_START", field="end_time", failing=_session_ends_before_start,
         why="ssg-api 4.1: a session ends after it starts, on the same day."),
    Rule(code="SESSION_HOURS_UNUSUAL", field="start_time", failing=_session_hours_unusual,
         why="2:00 typed for 14:00 is the usual slip; modes 2 and 4 run from 00:00 to 23:59 (ssg-api 4.1)."),
    Rule(code="SESSIONS_OVERLAP", field="start_time", failing=_sessions_overlap,
         why="A trainee scans in to each session (ssg-api 12), and cannot sit in two of one run at once."),
)  # fmt: skip


# -- trainee ---------------------------------------------------------------------------------------------------


def _age_unlikely(columns: Columns) -> Mask:
    # In YYYYMMDD a birthday n years on is n * 10000 more; who is born on 29 February has it on 1 March.
    born, today = columns.days("birth_date"), day_number(columns.today)
    too_young = born + YOUNGEST * 10_000 > today
    too_old = born + (OLDEST + 1) * 10_000 <= today
    return mask((born != NOTHING) & (too_young | too_old))


def _no_singapore_mobile(columns: Columns) -> Mask:
    mobile = columns.look_up("phone", _is_singapore_mobile, True, np.bool_)
    at_home = columns.missing("phone_country") | columns.one_of("phone_country", {"65", "+65"})
    return columns.given("phone") & ~(mobile & at_home)


def _is_singapore_mobile(number: str) -> bool:
    return SINGAPORE_MOBILE.fullmatch(number) is not None


_PREFIXES = {"S": 1, "T": 1, "F": 2, "G": 2, "M": 2}


def _prefix(number: str) -> int:
    return _PREFIXES.get(number[:1], 0)


def _residency_disagrees(columns: Columns) -> Mask:
    prefix = columns.look_up("nric", _prefix, 0, np.int8)
    resident = columns.one_of("residency", {"citizen", "pr"})
    return mask(((prefix == 2) & resident) | ((prefix == 1) & columns.one_of("residency", {"foreigner"})))


TRAINEE_RULES = (
    Rule(code="AGE_UNLIKELY", field="birth_date", failing=_age_unlikely,
         words={"youngest": str(YOUNGEST), "oldest": str(OLDEST)},
         why="A birth date is needed to enrol (ssg-api 6.1) and cannot be changed after it (6.2)."),
    Rule(code="PHONE_NO_SINGAPORE_MOBILE", field="phone", failing=_no_singapore_mobile,
         why="ssg-api 5.2: attendance takes Singapore mobiles only; 9.3: eight digits."),
    Rule(code="RESIDENCY_DISAGREES", field="residency", failing=_residency_disagrees,
         why="ssg-api 9.1: S and T numbers are identity cards, F, G and M are passes."),
)  # fmt: skip


# -- enrolment -------------------------------------------------------------------------------------------------

EMPLOYER_FIELDS = ("employer_uen", "employer_contact_name", "employer_contact_email", "employer_contact_phone")


def _employer_lacks(name: str) -> Callable[[Columns], Mask]:
    def failing(columns: Columns) -> Mask:
        # Cancelling sends the run only (ssg-api 6.2), so a withdrawal needs no employer.
        needed = columns.one_of("sponsorship_type", {"EMPLOYER"})
        return needed & ~columns.one_of("enrolment_status", {"withdrawn"}) & columns.missing(name)

    return failing


def _employer_unused(columns: Columns) -> Mask:
    given = np.logical_or.reduce([columns.given(name) for name in EMPLOYER_FIELDS])
    return mask(given & columns.one_of("sponsorship_type", {"INDIVIDUAL"}))


ENROLMENT_RULES = (
    *(
        Rule(code="EMPLOYER_INCOMPLETE", field=name, failing=_employer_lacks(name),
             why="ssg-api 6.1: UEN, contact name, e-mail and phone are needed if the employer sponsors.")
        for name in EMPLOYER_FIELDS
    ),
    Rule(code="EMPLOYER_UNUSED", field="sponsorship_type", failing=_employer_unused,
         why="ssg-api 6.4: an individual's enrolment holds no employer; sponsorship cannot be changed later (6.2)."),
    Rule(code="ENROLMENT_DATE_AHEAD", field="enrolment_date",
         failing=lambda columns: columns.after_today("enrolment_date", ENROLMENT_DAYS_AHEAD),
         words={"limit": str(ENROLMENT_DAYS_AHEAD)},
         why="No rule of SSG's is known (ssg-api 12), so it warns; most are a mistyped month."),
)  # fmt: skip


# -- fee -------------------------------------------------------------------------------------------------------


def _fee_amount_disagrees(columns: Columns) -> Mask:
    amount = columns.numbers("amount_collected")
    collected = columns.one_of("collection_status", {"Full Payment", "Partial Payment"})
    return mask((collected & (amount == 0)) | (columns.one_of("collection_status", {"Pending Payment"}) & (amount > 0)))


FEE_RULES = (
    Rule(code="FEE_AMOUNT_DISAGREES", field="amount_collected", failing=_fee_amount_disagrees,
         why="ssg-api 6.0: SSG keeps the status only, so the amount is what shows a wrong one; 0 may be full subsidy."),
    Rule(code="COLLECTED_IN_FUTURE", field="collected_on", failing=lambda columns: columns.after_today("collected_on"),
         why="ssg-api 6.3: a fee status tells SSG what has been collected, not what will be."),
)  # fmt: skip


# -- attendance ------------------------------------------------------------------------------------------------


def _hours_but_absent(columns: Columns) -> Mask:
    return columns.given("hours") & columns.one_of("mark", {"absent"})


def _marked_in_future(columns: Columns) -> Mask:
    # Moments are many and different, so the texts are compared as they stand: ISO texts sort like moments.
    codes, moments = columns.codes("marked_at")
    end_of_today = columns.today.isoformat() + "T24"
    late = np.array([moment > end_of_today for moment in moments] + [False], dtype=np.bool_)
    return late[codes]


ATTENDANCE_RULES = (
    Rule(code="HOURS_BUT_ABSENT", field="hours", failing=_hours_but_absent,
         why="ssg-api 5.2: hours are those attended; who did not come has no record."),
    Rule(code="MARKED_IN_FUTURE", field="marked_at", failing=_marked_in_future,
         why="The latest answer counts, so a wrong clock or date order would win over every right one."),
)  # fmt: skip


# -- assessment ------------------------------------------------------------------------------------------------


def _score_disagrees(columns: Columns) -> Mask:
    score = columns.numbers("score")
    nothing_right = columns.one_of("result", {"Pass"}) & (score == 0)
    all_right = columns.one_of("result", {"Fail"}) & (score == 100)
    return mask(nothing_right | all_right | (columns.one_of("result", {"Exempt"}) & (score >= 0)))


def _grade_disagrees(columns: Columns) -> Mask:
    passed_with_f = columns.one_of("result", {"Pass"}) & columns.one_of("grade", {"F"})
    return passed_with_f | (columns.one_of("result", {"Fail"}) & columns.one_of("grade", {"A"}))


ASSESSMENT_RULES = (
    Rule(code="ASSESSED_IN_FUTURE", field="assessment_date",
         failing=lambda columns: columns.after_today("assessment_date"),
         why="ssg-api 7.1: SSG itself checks no date here, so a result of a day to come would be recorded."),
    Rule(code="SCORE_DISAGREES", field="score", failing=_score_disagrees,
         why="ssg-api 7.0: score and result travel together; an exempted trainee was not scored."),
    Rule(code="GRADE_DISAGREES", field="grade", failing=_grade_disagrees,
         why="ssg-api 7.0: grade and result travel together; F with Pass is a slip in one of them."),
)  # fmt: skip


# -- every kind ------------------------------------------------------------------------------------------------


def _far_away(name: str) -> Callable[[Columns], Mask]:
    def failing(columns: Columns) -> Mask:
        day, today = columns.days(name), day_number(columns.today)
        return mask((day != NOTHING) & ((day < today - YEARS_BACK * 10_000) | (day > today + YEARS_AHEAD * 10_000)))

    return failing


def _is_unusual_skill_code(code: str) -> bool:
    return bool(code) and SKILL_CODE.fullmatch(code) is None


def _common_rules(kind: RecordKind) -> list[Rule]:
    rules = [
        Rule(code="DATE_FAR_AWAY", field=item.name, failing=_far_away(item.name),
             words={"back": str(YEARS_BACK), "ahead": str(YEARS_AHEAD)},
             why="A mistyped year (2062 for 2026) passes every other check and moves every deadline (ssg-api 12).")
        for item in kind.fields
        if item.type is FieldType.DATE and item.name != "birth_date"
    ]  # fmt: skip
    if "skill_code" in kind.names:
        rules.append(
            Rule(code="SKILL_CODE_UNUSUAL", field="skill_code",
                 failing=lambda columns: columns.look_up("skill_code", _is_unusual_skill_code, False, np.bool_),
                 why="ssg-api 9.3: skill codes look like AAA-BBB-9999-9.9; SSG checks them against the course (7.1).")
        )  # fmt: skip
    return rules


RULES: Mapping[str, tuple[Rule, ...]] = {
    "course_run": COURSE_RUN_RULES,
    "session": SESSION_RULES,
    "trainee": TRAINEE_RULES,
    "enrolment": ENROLMENT_RULES,
    "fee": FEE_RULES,
    "attendance": ATTENDANCE_RULES,
    "assessment": ASSESSMENT_RULES,
}


def rules_of(kind: RecordKind) -> tuple[Rule, ...]:
    """All rules of a kind: its own, and those that every kind keeps."""
    return (*RULES.get(kind.name, ()), *_common_rules(kind))
