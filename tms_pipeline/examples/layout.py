"""The files of a term: which sheets they hold, under which headings, with which title and blank rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tms_pipeline.examples import facts, mess
from tms_pipeline.examples.cells import Cell, Column, type_cell
from tms_pipeline.examples.mess import RowPlan, plain
from tms_pipeline.examples.term import Term

SETUP, RESULTS, ALL = "setup", "results", "all"
STAGES = (SETUP, RESULTS, ALL)
UNKNOWN_HEADING = "Remarks"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a file, or a whole CSV file (``name`` None)."""

    file: str
    stage: str
    name: str | None
    kind: str
    columns: tuple[Column, ...]
    rows: Callable[[Term], Iterator[RowPlan]]
    titles: tuple[str, ...] = ()
    # A blank row before every so-many-th row; 0: none.
    blank_every: int = 0
    bom: bool = False

    @property
    def heading_row(self) -> int:
        """The row of the headings. Two title rows or more are followed by a blank one."""
        return len(self.titles) + (len(self.titles) > 1) + 1

    @property
    def is_csv(self) -> bool:
        """True if the file is a form export."""
        return self.name is None


def numbered(sheet: Sheet, term: Term) -> Iterator[tuple[int, RowPlan]]:
    """Each row of a sheet with its number, as the sheet shows it: from 1, titles, headings and blanks counted."""
    number = sheet.heading_row
    for index, plan in enumerate(sheet.rows(term)):
        number += 1
        if sheet.blank_every and index and index % sheet.blank_every == 0:
            number += 1
        yield number, plan


def typed_rows(sheet: Sheet, term: Term) -> Iterator[tuple[int, RowPlan, list[Cell]]]:
    """Each row with its number and its cells as typed."""
    rng = term.random_for("typing", sheet.file, sheet.name)
    for number, plan in numbered(sheet, term):
        cells: list[Cell] = []
        for column in sheet.columns:
            if column.field is None:
                cells.append("Renewed this year" if number % 2 else None)
            elif column.field in plan.typed:
                cells.append(plan.typed[column.field])
            else:
                cells.append(type_cell(sheet.kind, column, plan.record[column.field], rng))
        yield number, plan, cells


def _columns(*columns: tuple[str, str] | tuple[str, str, str] | Column) -> tuple[Column, ...]:
    return tuple(column if isinstance(column, Column) else Column(*column) for column in columns)


_PRESENT = {"present": ("P", "P", "P", "✓", "Present"), "late": ("L", "Late"), "absent": ("A", "A", "MC", "Absent")}
_FORM_WORDS = {"present": ("Yes",), "late": ("Came late",)}

SHEETS: tuple[Sheet, ...] = (
    Sheet("01 Courses and trainers.xlsx", SETUP, "Courses", "course", _columns(
        ("course_title", "Name of Course"), ("course_reference", "TGS Ref", "code"), ("skill_code", "TSC Code"),
        ("full_course_fee", "Course Fee (S$)", "number"), ("duration_hours", "Training Hours", "number"),
        Column(None, UNKNOWN_HEADING),
    ), lambda term: plain(facts.courses(term)), titles=("Hawker Boys - courses we may run",)),
    Sheet("01 Courses and trainers.xlsx", SETUP, "Our trainers", "trainer", _columns(
        ("trainer_code", "Trainer No", "code"), ("salutation", "Salutation", "words"),
        ("trainer_name", "Name of Trainer"), ("trainer_nric", "Trainer NRIC", "nric"),
        ("trainer_email", "Trainer E-mail"), ("trainer_role", "Trainer Role", "words"), ("domain", "Expertise"),
        ("experience", "Experience"),
    ), lambda term: plain(facts.trainers(term)),
        titles=("Hawker Boys", "Trainers (made-up people)")),
    Sheet("02 Course runs.xlsx", SETUP, "Runs", "course_run", _columns(
        ("run_code", "Class Code *", "exact"), ("course_reference", "TGS No", "code"),
        ("start_date", "Course Start", "date"), ("end_date", "Course End", "date"),
        ("registration_open", "Reg Opening Date", "text_date"), ("registration_close", "Reg Closing Date", "text_date"),
        ("schedule_info", "Days and Hours"), ("mode_of_training", "Mode", "words"), ("block", "Blk"),
        ("street", "Street Name"), ("floor", "Level"), ("unit", "Unit No"), ("building", "Building"),
        ("postal_code", "Postal", "postal"), ("room", "Kitchen"), ("wheelchair_access", "Wheelchair", "yes_no"),
        ("intake_size", "Max Pax", "integer"), ("threshold", "Extra Seats", "integer"),
        ("admin_email", "Admin Email"), ("vacancy", "Vacancy", "words"), ("trainer_codes", "Taught By", "codes"),
        ("run_status", "Status of Run", "words"),
    ), lambda term: plain(facts.runs(term)), titles=("Hawker Boys", "Course runs of this term")),
    Sheet("02 Course runs.xlsx", SETUP, "Lessons", "session", _columns(
        ("run_code", "Class Code", "code"), ("session_no", "Lesson No", "integer"),
        ("session_date", "Lesson Date", "date"), ("start_time", "Time From", "time"), ("end_time", "Time To", "time"),
        ("mode_of_training", "Mode", "words"),
    ), mess.sessions, blank_every=24),
    Sheet("03 Trainees.xlsx", SETUP, "Trainees", "trainee", _columns(
        ("full_name", "Name as in NRIC"), ("nric", "NRIC / FIN *", "nric"),
        ("birth_date", "D.O.B. (dd/mm/yyyy)", "text_date"), ("phone", "HP", "phone"), ("email", "E-mail Address"),
        ("residency", "Citizenship", "words"), ("survey_language", "Preferred Language", "words"),
    ), mess.trainees, titles=("Hawker Boys - trainees (made-up people)",), blank_every=80),
    Sheet("04 Enrolments.xlsx", SETUP, "Sheet1", "enrolment", _columns(
        ("nric", "IC No", "nric"), ("run_code", "Class", "code"), ("enrolment_date", "Date Enrolled", "mixed_date"),
        ("sponsorship_type", "Who pays", "words"), ("employer_uen", "Company UEN", "code"),
        ("employer_contact_name", "HR Contact"), ("employer_contact_phone", "Employer Phone", "phone"),
        ("employer_contact_email", "Employer Email"), ("discount_amount", "Discount", "number"),
    ), mess.enrolments, titles=("Hawker Boys", "Enrolments of this term"), blank_every=60),
    Sheet("05 Fees.xlsx", RESULTS, "Fees", "fee", _columns(
        ("receipt_no", "Receipt"), ("run_code", "Run", "code"), ("nric", "Trainee NRIC", "nric"),
        ("collection_status", "Paid?", "words"), ("amount_collected", "Amount Paid ($)", "number"),
        ("collected_on", "Date Paid", "date"),
    ), mess.fees, titles=("Fees collected",)),
    Sheet("06 Attendance register.xlsx", RESULTS, "Register", "attendance", _columns(
        ("run_code", "Class", "code"), ("session_no", "Lesson", "integer"), ("nric", "NRIC No", "nric"),
        Column("mark", "Attendance Status", "words", _PRESENT),
    ), mess.register, titles=("Hawker Boys", "Attendance: P here, L late, A or MC away"), blank_every=200),
    Sheet("07 Attendance (Google Forms).csv", RESULTS, None, "attendance", _columns(
        ("marked_at", "Timestamp", "google"), ("run_code", "Which class are you in?", "code"),
        ("session_no", "Which session is this?", "exact"), ("nric", "What is your NRIC or FIN?", "nric"),
        Column("mark", "Are you present?", "words", _FORM_WORDS),
    ), mess.google),
    Sheet("08 Attendance (Microsoft Forms).csv", RESULTS, None, "attendance", _columns(
        ("marked_at", "Start time", "microsoft_start"), ("marked_at", "Completion time", "microsoft"),
        ("run_code", "Which class did you attend?", "exact"), ("session_no", "Which session is this?", "exact"),
        ("nric", "Your NRIC or FIN", "nric"), Column("mark", "I am attending today", "words", _FORM_WORDS),
    ), mess.microsoft, bom=True),
    Sheet("09 Assessments.xlsx", RESULTS, "Results T4", "assessment", _columns(
        ("run_code", "Class Code", "code"), ("nric", "Trainee ID", "nric"), ("skill_code", "Competency Code"),
        ("assessment_date", "Exam Date", "date"), ("result", "C/NYC", "words"), ("score", "Marks", "integer"),
        ("grade", "Grade", "exact"), ("assessor_code", "Assessed By"),
    ), mess.assessments, titles=("Hawker Boys", "Assessment results"), blank_every=90),
)


def sheets(stage: str = ALL) -> tuple[Sheet, ...]:
    """The sheets of a stage, in file-name order. Raises ValueError for an unknown stage."""
    if stage not in STAGES:
        raise ValueError(f"'{stage}' is no stage; the stages are {', '.join(STAGES)}")
    return tuple(sheet for sheet in SHEETS if stage in (ALL, sheet.stage))
