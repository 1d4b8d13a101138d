"""Every entry of the error table, and its page."""

import re

import pytest

from tms_pipeline.ssg import error_pages
from tms_pipeline.ssg.endpoints import ENDPOINTS
from tms_pipeline.ssg.errors import ErrorClass, ShapeError, SsgError, classify, entry, error_table, failure

C = ErrorClass
WRITE, READ = "enrolments.create", "enrolments.search"
CASES = [
    # status, dialect, code, message, endpoint, sent -> id, class
    (None, "client", "shape", "", WRITE, False, "SSG-SHAPE", C.PERMANENT),
    (None, "client", "id-number", "", WRITE, False, "SSG-ID-NUMBER", C.PERMANENT),
    (None, "client", "settings", "", WRITE, False, "SSG-SETTINGS", C.CONFIGURATION),
    (None, "client", "credential-files", "", WRITE, False, "SSG-CREDENTIAL-FILES", C.CREDENTIALS),
    (None, "client", "kill-switch", "", WRITE, False, "SSG-KILL-SWITCH", C.RETRYABLE),
    (None, "client", "maintenance", "", WRITE, False, "SSG-MAINTENANCE", C.RETRYABLE),
    (None, "client", "breaker", "", WRITE, False, "SSG-BREAKER-OPEN", C.RETRYABLE),
    (None, "client", "list-changed", "", READ, True, "SSG-LIST-CHANGED", C.RETRYABLE),
    (None, "transport", "tls-server", "", WRITE, False, "SSG-NET-TLS-SERVER", C.CONFIGURATION),
    (None, "transport", "tls-client", "", WRITE, True, "SSG-NET-TLS-CLIENT", C.CREDENTIALS),
    (None, "transport", "connect", "", WRITE, False, "SSG-NET-CONNECT", C.RETRYABLE),
    (None, "transport", "timeout", "", WRITE, True, "SSG-NET-TIMEOUT-WRITE", C.UNKNOWN),
    (None, "transport", "timeout", "", READ, True, "SSG-NET-TIMEOUT-READ", C.RETRYABLE),
    (None, "transport", "reset", "", WRITE, True, "SSG-NET-BROKEN-WRITE", C.UNKNOWN),
    (None, "transport", "reset", "", READ, True, "SSG-NET-BROKEN-READ", C.RETRYABLE),
    (200, "reply", "no-reference", "", WRITE, True, "SSG-REPLY-NO-REFERENCE", C.UNKNOWN),
    (200, "reply", "shape", "", WRITE, True, "SSG-REPLY-SHAPE-WRITE", C.UNKNOWN),
    (200, "reply", "shape", "", READ, True, "SSG-REPLY-SHAPE-READ", C.PERMANENT),
    (200, "reply", "unreadable", "", WRITE, True, "SSG-REPLY-UNREADABLE-WRITE", C.UNKNOWN),
    (200, "reply", "unreadable", "", READ, True, "SSG-REPLY-UNREADABLE-READ", C.RETRYABLE),
    (401, "gateway", "", "invalid_client", "oauth.token", True, "SSG-OAUTH", C.CREDENTIALS),
    (429, "gateway", "", "", WRITE, True, "SSG-HTTP-429", C.RETRYABLE),
    (
        403,
        "gateway",
        "",
        "Api Version has expired",
        WRITE,
        True,
        "SSG-GATEWAY-VERSION-EXPIRED",
        C.CONFIGURATION,
    ),
    (
        403,
        "gateway",
        "",
        "This API version does not seem to exist",
        READ,
        True,
        "SSG-GATEWAY-VERSION-UNKNOWN",
        C.CONFIGURATION,
    ),
    (
        403,
        "gateway",
        "",
        "Access to this API has been disallowed",
        READ,
        True,
        "SSG-GATEWAY-DISALLOWED",
        C.CREDENTIALS,
    ),
    (
        400,
        "gateway",
        "",
        "Unable to perform decryption due invalid request",
        WRITE,
        True,
        "SSG-GATEWAY-DECRYPTION",
        C.CONFIGURATION,
    ),
    (
        500,
        "gateway",
        "",
        "Unable to perform decryption",
        WRITE,
        True,
        "SSG-GATEWAY-DECRYPTION",
        C.CONFIGURATION,
    ),
    (500, "gateway", "", "a Middleware error", WRITE, True, "SSG-GATEWAY-MIDDLEWARE-WRITE", C.UNKNOWN),
    (500, "gateway", "", "Middleware error", READ, True, "SSG-GATEWAY-MIDDLEWARE-READ", C.RETRYABLE),
    (401, "gateway", "", "", READ, True, "SSG-HTTP-401", C.CREDENTIALS),
    (403, "tpg", "TGS-405", "Forbidden", WRITE, True, "SSG-TGS-405", C.PERMANENT),
    (400, "tpg", "TGS-406", "TGS-406 - Invalid course", WRITE, True, "SSG-TGS-406", C.PERMANENT),
    (200, "tpg", "TGS-425", "TGS-425", "assessments.create", True, "SSG-TGS-425", C.PERMANENT),
    (400, "tpg", "TGS-439", "TGS-439", "enrolments.cancel", True, "SSG-TGS-439-CANCEL", C.ALREADY_DONE),
    (400, "tpg", "TGS-439", "TGS-439", "enrolments.update_fee", True, "SSG-TGS-439", C.PERMANENT),
    (400, "tpg", "TGS-441", "TGS-441 - Required", WRITE, True, "SSG-TGS-441", C.PERMANENT),
    (200, "tpg", "TGS-300", "TGS-300", WRITE, True, "SSG-TGS-300", C.UNKNOWN),
    (400, "tpg", "", "No grant found", "grants.search", True, "SSG-NO-GRANTS", C.PERMANENT),
    (400, "tpg", "TGS-999", "TGS-999 - new", WRITE, True, "SSG-TGS-OTHER", C.PERMANENT),
    (404, "course", "", "No course run found.", "course_runs.delete", True, "SSG-RUN-GONE", C.ALREADY_DONE),
    (404, "course", "", "No course run found.", "course_runs.view", True, "SSG-NOT-FOUND", C.PERMANENT),
    (
        400,
        "course",
        "",
        "course run already exist",
        "course_runs.publish",
        True,
        "SSG-RUN-DUPLICATE",
        C.ALREADY_DONE,
    ),
    (400, "tpg", "", "Trainee already enrolled", WRITE, True, "SSG-DUPLICATE", C.ALREADY_DONE),
    (
        400,
        "tpg",
        "",
        "Enrolment is already cancelled",
        "enrolments.cancel",
        True,
        "SSG-ENROLMENT-CANCELLED",
        C.ALREADY_DONE,
    ),
    (400, "tpg", "", "already voided", "assessments.void", True, "SSG-ASSESSMENT-VOIDED", C.ALREADY_DONE),
    (
        400,
        "course",
        "",
        "existing_trainer_notfound",
        "course_runs.edit",
        True,
        "SSG-RUN-TRAINER-UNKNOWN",
        C.PERMANENT,
    ),
    (
        400,
        "course",
        "",
        "Registration opening date is in the past",
        "course_runs.publish",
        True,
        "SSG-RUN-REGISTRATION-PAST",
        C.PERMANENT,
    ),
    (
        400,
        "course",
        "",
        "Session is outside the course dates",
        "course_runs.edit",
        True,
        "SSG-RUN-SESSION-OUTSIDE",
        C.PERMANENT,
    ),
    (
        400,
        "course",
        "",
        "Course is not eligible",
        "course_runs.publish",
        True,
        "SSG-RUN-NOT-FUNDED",
        C.PERMANENT,
    ),
    (400, "course", "", "Course run is completed", "course_runs.edit", True, "SSG-RUN-CLOSED", C.PERMANENT),
    (
        400,
        "tpg",
        "",
        "Course does not belong to the Training Partner",
        WRITE,
        True,
        "SSG-COURSE-NOT-OURS",
        C.PERMANENT,
    ),
    (
        400,
        "course",
        "",
        "Invalid input parameter(s).",
        "attendance.upload",
        True,
        "SSG-INVALID-INPUT",
        C.PERMANENT,
    ),
    (404, "gateway", "", "Not Found", READ, True, "SSG-HTTP-404", C.CONFIGURATION),
    (403, "gateway", "", "No.", WRITE, True, "SSG-HTTP-403", C.CREDENTIALS),
    (500, "gateway", "", "oh", WRITE, True, "SSG-HTTP-5XX-WRITE", C.UNKNOWN),
    (502, "gateway", "", "", READ, True, "SSG-HTTP-5XX-READ", C.RETRYABLE),
    (400, "tpg", "", "Something new", WRITE, True, "SSG-REFUSED-OTHER", C.PERMANENT),
    (418, "gateway", "", "", WRITE, True, "SSG-OTHER-WRITE", C.UNKNOWN),
    (302, "gateway", "", "", READ, True, "SSG-OTHER-READ-4XX", C.PERMANENT),
    (200, "tpg", "", "hm", READ, True, "SSG-OTHER-READ", C.RETRYABLE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[6]}")
def test_entry(case: tuple[int | None, str, str, str, str, bool, str, ErrorClass]) -> None:
    status, dialect, code, message, endpoint, sent, wanted, wanted_class = case
    is_write = endpoint in ENDPOINTS and ENDPOINTS[endpoint].is_write
    found = classify(status, dialect, code, message, endpoint=endpoint, is_write=is_write, sent=sent)
    assert (found.id, found.error_class) == (wanted, wanted_class)


def test_every_entry_has_a_case() -> None:
    assert {row.id for row in error_table()} == {case[6] for case in CASES}


def test_entries_are_well_formed() -> None:
    ids = [row.id for row in error_table()]
    assert len(set(ids)) == len(ids)
    names = {*ENDPOINTS, "oauth.token"}
    for row in error_table():
        assert re.fullmatch(r"SSG-[A-Z0-9-]+", row.id)
        for text in (row.title, row.sentence, row.remedy, row.pipeline, row.source):
            assert text.strip() == text != ""
        assert row.sentence.endswith(".")
        assert row.remedy.endswith(".") or row.remedy.endswith(")")
        if row.endpoint != "*":
            for glob in row.endpoint.split("|"):
                assert glob in names or glob.endswith(".*")


def test_a_write_is_never_retryable_after_it_may_have_been_done() -> None:
    statuses = (None, 100, 200, 204, 302, 400, 404, 409, 418, 422, 500, 503, 599)
    for name, endpoint in ENDPOINTS.items():
        for dialect in ("course", "tpg", "gateway", "transport", "reply", "nonsense"):
            for status in statuses:
                found = classify(
                    status, dialect, "", "", endpoint=name, is_write=endpoint.is_write, sent=True
                )
                assert not endpoint.is_write or found.error_class is not ErrorClass.RETRYABLE


def test_pages_are_there_and_fresh() -> None:
    assert error_pages.differences(error_pages.FOLDER) == []


def test_a_missing_a_stale_and_a_foreign_page_are_found(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    error_pages.write(folder)
    assert error_pages.main(["--check", "--folder", str(folder)]) == 0
    (folder / "ssg-shape.md").unlink()
    (folder / "ssg-tgs-405.md").write_text("old")
    (folder / "ssg-gone.md").write_text("x")
    assert error_pages.differences(folder) == [
        "missing: ssg-shape.md",
        "no entry: ssg-gone.md",
        "stale: ssg-tgs-405.md",
    ]
    assert error_pages.main(["--write", "--folder", str(folder)]) == 0


def test_errors_say_what_where_and_which() -> None:
    error = SsgError(
        entry("SSG-TGS-441"),
        endpoint="enrolments.create",
        correlation_id="abc",
        http_status=400,
        fields=["enrolment.course.referenceNumber"],
        ssg_codes=["TGS-441"],
    )
    assert str(error) == (
        "SSG-TGS-441: SSG misses a field that it requires. (enrolments.create; HTTP 400; TGS-441; "
        "fields: enrolment.course.referenceNumber; correlation id abc)"
    )
    assert isinstance(ShapeError("a.b", "at most 3 characters"), SsgError)
    assert failure("SSG-KILL-SWITCH").error_class is ErrorClass.RETRYABLE
    with pytest.raises(KeyError):
        entry("SSG-NOTHING")
