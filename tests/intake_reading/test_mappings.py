"""Foreign layouts: the shipped mappings, each on its own export, and mistakes in mapping files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.mapping_drafts import draft_mapping
from tms_pipeline.intake.mapping_files import MappingError, check_mappings, load_mapping, parse_mapping
from tms_pipeline.intake.mapping_use import _time_range
from tms_pipeline.intake.mappings import SHIPPED, Found, LookUp, shipped_mappings
from tms_pipeline.intake.opening import FileRefused, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS

from .held import codes, opened_of, table_of
from .workbooks import ENROLMENT_HEADINGS, ENROLMENT_ROW, csv_bytes, xlsx

# Source: ssg-api 11.1, as printed.
TPGATEWAY = [
    "Trainee ID Type *",
    "Trainee ID *",
    "Date of Birth (DD-MM-YYYY or DD/MM/YYYY format) *",
    "Trainee Name (as on government ID)",
    "Course Reference Code*",
    "Course Run*",
    "Trainee Email *",
    "Trainee Phone Country Code (+xx) *",
    "Trainee Phone Area Code",
    "Trainee Phone *",
    "Sponsorship Type *",
    "Employer UEN (mandatory if sponsorship type = employer)",
    "Employer Contact Name (mandatory if sponsorship type = employer)",
    "Employer Phone Country Code (+xx)",
    "Employer Phone Area Code",
    "Employer Phone (mandatory if sponsorship type = employer)",
    "Employer Contact Email (mandatory)",
    "Course Fee Discount Amount (where applicable)",
    "Fee Collection Status",
    "Bundle Code (mandatory if SCTP)",
]
TPGATEWAY_ROW = [
    "NRIC",
    "S1234567D",
    "05/06/1980",
    "Tan Ah Kow",
    "TGS-2026000101",
    "123456",
    "kow@example.com",
    "+65",
    None,
    91234567,
    "Employer",
    "197401143C",
    "Mary",
    "+65",
    None,
    61234567,
    "hr@example.com",
    10,
    "Full Payment",
    None,
]
# Source: ssg-api 11.4.
MASTER = [
    "Course Run",
    "Course Code",
    "Course Title",
    "Start Date",
    "End Date",
    "Trainee",
    "Trainee Email",
    "Trainee Contact",
    "Trainee ID",
    "Trainee DOB",
    "Sponsorship Type",
    "UEN of Employer",
    "Employer Name",
    "Enrolment Status",
    "Fee Collection Update Status",
    "Assessment",
    "Assessment ID Date",
]
COMPANY = [
    "Course Title*",
    "Course Start Date (DD-MM-YYYY)*",
    "Course Reference Number",
    "Trainee Identity Type*",
    "Trainee FULL Name as on government ID*",
    "Trainee ID Type*",
    "Trainee NRIC/FIN Number*",
    "Date of Birth* (DD-MM-YYYY)",
    "Trainee Company email Address*",
    "Trainee Mobile Phone Number*",
    "Employer Organization Name*",
    "Employer UEN*",
    "Employer Contact Name*",
    "Employer Contact Telephone No.*",
    "Employer Contact Email Address*",
    "Enrolment Date",
]
COMPANY_ROW = [
    "Food Hygiene",
    "05-06-2026",
    "",
    "Singaporean",
    "Tan Ah Kow",
    "NRIC",
    "S1234567D",
    "25-09-1980",
    "kow@example.com",
    "91234567",
    "Hawker Boys",
    "197401143C",
    "Mary",
    "61234567",
    "hr@example.com",
    "2026-05-01",
]


def record(table: Any, kind: str, *names: str) -> list[Any]:
    return canonicalise(KINDS[kind], table).frame[list(names)].to_numpy().tolist()


def test_the_shipped_mappings_are_right() -> None:
    assert check_mappings(sorted(SHIPPED.glob("*.yaml"))) == []
    assert {mapping.name for mapping in shipped_mappings()} >= {
        "tpgateway-enrolment",
        "provider-master-sheet",
        "company-application",
        "google-forms",
        "microsoft-forms",
    }


def test_the_tpgateway_template() -> None:
    table = table_of([TPGATEWAY, TPGATEWAY_ROW, [*TPGATEWAY_ROW[:18], None, None]])
    assert (table.mapping, table.kinds) == ("tpgateway-enrolment", ("trainee", "enrolment", "fee"))
    assert codes(table) == ["CONSTANT_USED"]
    assert record(table, "trainee", "nric", "birth_date", "phone", "phone_country")[0] == [
        "S1234567D",
        "1980-06-05",
        "91234567",
        "65",
    ]
    assert record(table, "enrolment", "run_code", "sponsorship_type", "discount_amount")[0] == [
        "123456",
        "EMPLOYER",
        "10.00",
    ]
    fees = canonicalise(KINDS["fee"], table)
    assert fees.frame["collection_status"].tolist() == ["Full Payment"]
    assert fees.rows.tolist() == [2]
    assert not fees.bad.any()


def test_the_tpgateway_run_number_is_looked_up() -> None:
    asked: list[Any] = []

    def resolve(look_up: LookUp, wanted: Sequence[tuple[str | None, ...]]) -> list[Found]:
        asked.append((look_up.into, tuple(look_up.by), list(wanted)))
        return [Found(value="HYG-2609-A") for _ in wanted]

    table = find_tables(opened_of([TPGATEWAY, TPGATEWAY_ROW]), resolve=resolve)[0][0]
    assert table.frame["run_code"].tolist() == ["HYG-2609-A"]
    assert asked == [("run_code", ("course_reference", "ssg_run_id"), [("TGS-2026000101", "123456")])]


def test_a_master_sheet_gives_assessments_only_where_there_is_one() -> None:
    rows = [
        [
            "HYG-2609-A",
            "TGS-2026000101",
            "Food Hygiene",
            "01/09/2026",
            "30/09/2026",
            "Tan",
            "k@example.com",
            "91234567",
            "S1234567D",
            "25/09/1980",
            "Individual",
            "",
            "",
            "Confirmed",
            "Full Payment",
            *last,
        ]
        for last in (["C", "30/09/2026"], ["", ""])
    ]
    table = table_of([MASTER, *[[*row[:3], f"{14 + at}/09/2026", *row[4:]] for at, row in enumerate(rows)]])
    assert table.kinds == ("trainee", "enrolment", "fee", "assessment")
    assert record(table, "assessment", "nric", "result", "assessment_date") == [["S1234567D", "Pass", "2026-09-30"]]
    assert record(table, "enrolment", "enrolment_date") == [["2026-09-14"], ["2026-09-15"]]
    assert not canonicalise(KINDS["assessment"], table).bad.any()


def test_a_company_form_finds_its_run_by_title_and_date() -> None:
    def resolve(look_up: LookUp, wanted: Sequence[tuple[str | None, ...]]) -> list[Found]:
        assert look_up.days == 45
        assert list(wanted) == [("Food Hygiene", "2026-06-05"), ("Cooking", "2026-06-05")]
        return [Found(value="HYG-2606-A"), Found(candidates=("WOK-2606-A, starts 8 Jun 2026",))]

    opened = opened_of([COMPANY, COMPANY_ROW, ["Cooking", *COMPANY_ROW[1:]]])
    table = find_tables(opened, resolve=resolve)[0][0]
    canonical = canonicalise(KINDS["enrolment"], table)
    assert canonical.frame["run_code"].tolist() == ["HYG-2606-A", None]
    assert canonical.bad.tolist() == [False, True]
    found = next(fault for fault in table.faults if fault.code == "REFERENCE_NOT_FOUND")
    assert found.row == 3
    assert "WOK-2606-A" in found.fix
    assert record(table, "trainee", "residency", "nric")[0] == ["citizen", "S1234567D"]


def test_without_a_register_every_look_up_is_told() -> None:
    table = table_of([COMPANY, COMPANY_ROW])
    assert "REFERENCE_NOT_FOUND" in codes(table)
    assert canonicalise(KINDS["enrolment"], table).bad.all()


def test_google_forms_attendance(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes(
        csv_bytes(
            [
                [
                    "Timestamp",
                    "Email Address",
                    "Which class are you in?",
                    "Which session is this?",
                    "Your NRIC or FIN",
                    "Are you present?",
                ],
                ["2026/09/12 9:01:22 am GMT+8", "a@b.sg", "HYG-2609-A", "Session 1", "S1234567D", "Yes"],
            ]
        )
    )
    table = find_tables(open_upload(path, name="g.csv"))[0][0]
    assert (table.mapping, table.kinds) == ("google-forms", ("attendance",))
    assert record(table, "attendance", "run_code", "session_no", "nric", "mark", "marked_at") == [
        ["HYG-2609-A", "1", "S1234567D", "present", "2026-09-12T09:01:22"]
    ]


def test_microsoft_forms_registration_in_american_dates(tmp_path: Path) -> None:
    headings = [
        "ID",
        "Start time",
        "Completion time",
        "Email",
        "Name",
        "Which class are you in?",
        "Your NRIC or FIN",
        "Your full name",
        "Date of Birth",
        "Your e-mail address",
        "Your mobile number",
        "Who pays",
    ]
    row = [
        "1",
        "9/13/26 9:00:00",
        "9/13/26 9:05:00",
        "anonymous",
        "",
        "HYG-2609-A",
        "S1234567D",
        "Tan Ah Kow",
        "9/5/1980",
        "kow@example.com",
        "91234567",
        "Self",
    ]
    path = tmp_path / "m.csv"
    path.write_bytes(csv_bytes([headings, row]))
    table = find_tables(open_upload(path, name="m.csv"))[0][0]
    assert (table.mapping, table.kinds) == ("microsoft-forms", ("trainee", "enrolment"))
    assert table.faults == []
    assert record(table, "trainee", "full_name", "birth_date", "email") == [
        ["Tan Ah Kow", "1980-09-05", "kow@example.com"]
    ]
    assert record(table, "enrolment", "enrolment_date") == [["2026-09-13"]]


def test_forms_prove_nothing_when_their_own_columns_do_not(tmp_path: Path) -> None:
    headings = ["ID", "Start time", "Completion time", "Class", "Session", "NRIC", "Present?"]
    path = tmp_path / "m.csv"
    path.write_bytes(csv_bytes([headings, ["1", "9/5/26 9:00", "9/5/26 9:05", "HYG", "1", "S1234567D", "Yes"]]))
    table = find_tables(open_upload(path, name="m.csv"))[0][0]
    assert codes(canonicalise(KINDS["attendance"], table)) == ["DATE_ORDER_UNPROVEN"]


def test_feedback_is_named_and_left_out() -> None:
    with pytest.raises(FileRefused) as caught:
        find_tables(
            opened_of(
                [["Timestamp", "How did you like the course?", "Would you recommend it?"], ["2026/09/12", 5, "Yes"]]
            )
        )
    assert caught.value.fault.code == "FORM_WITHOUT_RECORDS"


def test_a_mapping_by_name() -> None:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of([ENROLMENT_HEADINGS, ENROLMENT_ROW]), mapping="nonsense")
    assert caught.value.fault.code == "MAPPING_UNKNOWN"
    assert "google-forms" in caught.value.fault.fix
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of([ENROLMENT_HEADINGS, ENROLMENT_ROW]), mapping="tpgateway-enrolment")
    assert caught.value.fault.code == "MAPPING_MISFIT"


SESSIONS = """
name: our-timetable
fingerprint: [Class, Lesson, On, Time]
kinds: [session]
columns: { Class: run_code, Lesson: session_no, On: session_date }
split:
  - from: Time
    into: [start_time, end_time]
    form: time range
join:
  - into: mode_of_training
    from: [How]
constants: { session_status: confirmed }
values:
  mode_of_training: { "In our kitchen": Practical }
dates: { session_date: DMY }
ignore: [Remarks]
"""


def test_splits_joins_values_constants_and_dates() -> None:
    mapping = parse_mapping(SESSIONS, "our.yaml")
    rows = [
        ["Class", "Lesson", "On", "Time", "How", "Remarks"],
        ["HYG", 1, "05/06/2026", "14 to 18", "in our kitchen", "x"],
        ["HYG", 2, "06/06/2026", "whenever", "Classroom", None],
    ]
    table = find_tables(opened_of(rows), mappings=[mapping])[0][0]
    assert record(table, "session", "session_date", "start_time", "end_time", "mode_of_training", "session_status") == [
        ["2026-06-05", "14:00", "18:00", "5", "confirmed"],
        ["2026-06-06", None, None, "1", "confirmed"],
    ]
    assert [(fault.code, fault.row, fault.column) for fault in table.faults] == [("SPLIT_FAILED", 3, "Time")]
    canonical = canonicalise(KINDS["session"], table)
    assert canonical.bad.tolist() == [False, True]
    assert canonical.faults == []


def test_a_split_by_a_pattern() -> None:
    text = SESSIONS.replace("form: time range", "pattern: '(?P<start_time>\\d+)/(?P<end_time>\\d+)'").replace(
        "[Class, Lesson, On, Time]", "[Class, Time]"
    )
    table = find_tables(
        opened_of([["Class", "Lesson", "On", "Time", "How"], ["HYG", 1, "05/06/2026", "0900/1730", "Zoom"]]),
        mappings=[parse_mapping(text, "our.yaml")],
    )[0][0]
    assert record(table, "session", "start_time", "end_time") == [["09:00", "17:30"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14 to 18", ("14:00", "18:00")),
        ("9am-5pm", ("09:00", "17:00")),
        ("2-5pm", ("14:00", "17:00")),
        ("9-5pm", ("09:00", "17:00")),
        ("0900 – 1730", ("09:00", "17:30")),
        ("9.30am till noon", ("09:30", "12:00")),
        ("18 to 14", None),
        ("14", None),
        ("a to b", None),
        ("", None),
        ("25 to 26", None),
    ],
)
def test_time_ranges(text: str, expected: tuple[str, str] | None) -> None:
    assert _time_range(text) == expected


MISTAKES = {
    "name: x\nfingerprint: [a]\ncolums: {}\n": (3, "colums", "did you mean 'columns'"),
    "name: x\nfingerprint: [a]\ncolumns:\n  A: run_cod\n": (4, "columns.A", "did you mean 'run_code'"),
    "name: x\nfingerprint: [a]\ncolumns:\n  A: nric\n  a*: nric\n": (5, "columns.a*", "reads the same as 'A'"),
    "name: x\nfingerprint: [a]\nkinds: [trainees]\n": (3, "kinds[1]", "did you mean 'trainee'"),
    "name: X Y\nfingerprint: [a]\n": (1, "name", "small letters"),
    "name: x\n": (1, "", "fingerprint"),
    "name: x\nfingerprint: a\n": (2, "fingerprint", "must be a list"),
    "name: x\nfingerprint: [a]\ndates:\n  birth_date: DDMM\n": (4, "dates.birth_date", "no date order"),
    "name: x\nfingerprint: [a]\nautomatic: perhaps\n": (3, "automatic", "true or false"),
    "name: x\nfingerprint: [a]\nsplit:\n  - from: T\n    into: [start_time]\n    pattern: '('\n": (
        6,
        "split[1].pattern",
        "no pattern",
    ),
    "name: x\nfingerprint: [a]\nsplit:\n  - from: T\n    into: [start_time]\n    pattern: '(?P<a>.)'\n": (
        6,
        "split[1].pattern",
        "groups start_time",
    ),
    "name: x\nfingerprint: [a]\nsplit:\n  - from: T\n    into: [start_time]\n": (4, "split[1]", "needs a pattern"),
    "name: x\nfingerprint: [a]\njoin:\n  - into: full_name\n": (4, "join[1]", "'from' is missing"),
    "name: x\nfingerprint: [a]\nlook_up:\n  - into: run_code\n    by: {weather: W}\n": (
        5,
        "look_up[1].by.weather",
        "no field",
    ),
    "name: x\nfingerprint: [a]\nlook_up:\n  - into: run_code\n    by: {start_date: W}\n    days: many\n": (
        6,
        "look_up[1].days",
        "number of days",
    ),
    "name: x\nname: y\n": (2, "name", "there twice"),
    "name: [x\n": (2, "", "expected"),
    "": (1, "", "is empty"),
    "- a\n": (1, "", "key: value"),
    "name: x\nfingerprint: [a]\nonly_when: {nothing: A}\n": (3, "only_when.nothing", "no record kind"),
    "name: &a x\nfingerprint: &b [*b]\n": (2, "fingerprint[1]", "one word"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_name_file_line_and_key(text: str, tmp_path: Path) -> None:
    line, key, words = MISTAKES[text]
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("wrong.yaml", line, key)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"wrong.yaml, line {line}, ")
    assert check_mappings([path]) == [str(caught.value)]


def test_two_mappings_of_one_name(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("name: x\nfingerprint: [a]\n")
    assert "also the name in a.yaml" in check_mappings(sorted(tmp_path.glob("*.yaml")))[0]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\xff")
    assert "cannot be read" in check_mappings([tmp_path / "x.yaml", tmp_path / "gone.yaml"])[0]


def test_a_draft_can_be_loaded_and_finished(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "d.xlsx",
        (
            "S",
            [
                ["Our list"],
                ["Class", 'Their "NRIC"', "IC No", "Date of Birth (DD/MM/YYYY)", "Nmae"],
                ["HYG", "x", "y", "z", "w"],
            ],
        ),
    )
    text = draft_mapping(open_upload(path, name="d.xlsx"), "our-list")
    mapping = parse_mapping(text, "draft.yaml")
    assert mapping.name == "our-list"
    assert mapping.columns["IC No"] == ("nric",)
    assert mapping.dates == {"birth_date": "DMY"}
    assert "Nmae" in mapping.ignore
