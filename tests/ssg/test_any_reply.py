"""Whatever JSON a server answers: a typed reply or an SsgError, nothing else, and nothing of it shown."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tms_pipeline.ssg.assessment import AssessmentQuery
from tms_pipeline.ssg.catalogue import RegistryQuery
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.enrolment import EnrolmentQuery
from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.ssg.grant import GrantQuery

from .hostile import hostile, reply
from .world import COURSE, NRIC, assessment, attendance, client, course_run, enrolment

KEYS = [
    "status",
    "data",
    "meta",
    "error",
    "errors",
    "message",
    "details",
    "field",
    "code",
    "enrolment",
    "assessment",
    "course",
    "courseRun",
    "run",
    "runs",
    "sessions",
    "attendance",
    "trainers",
    "courses",
    "referenceNumber",
    "id",
    "trainee",
    "total",
    "totalRecords",
    "createdOn",
    "courseDates",
    "startDate",
    "fees",
    "email",
    "idType",
    "support",
    "linkCourseRunTrainer",
]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(NRIC),
    st.sampled_from(
        ["", "200", "2026-99-99", "20261301", "ENR-2610-000001", "TGS-441 - x", "No grant found"]
    ),
)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
envelopes = st.fixed_dictionaries(
    {"status": st.sampled_from([200, "200", 400, "404", 500, None]), "data": documents, "meta": documents},
    optional={"error": documents},
)
WRITES: list[Callable[[SsgClient], Any]] = [
    lambda ssg: ssg.enrolments.create(enrolment()),
    lambda ssg: ssg.enrolments.cancel("ENR-2610-000001", 1),
    lambda ssg: ssg.assessments.create(assessment()),
    lambda ssg: ssg.course_runs.publish(COURSE, [course_run(dt.date(2026, 12, 1))]),
    lambda ssg: ssg.course_runs.delete(1, COURSE),
    lambda ssg: ssg.attendance.upload(1, attendance("S1")),
]
READS: list[Callable[[SsgClient], Any]] = [
    lambda ssg: ssg.enrolments.view("ENR-2610-000001"),
    lambda ssg: list(ssg.enrolments.iter_search(EnrolmentQuery())),
    lambda ssg: ssg.assessments.view("ASM-2610-000001"),
    lambda ssg: list(ssg.assessments.iter_search(AssessmentQuery())),
    lambda ssg: ssg.grants.search(GrantQuery()),
    lambda ssg: ssg.grants.view("GRN-2610-000001"),
    lambda ssg: ssg.course_runs.view(1),
    lambda ssg: list(ssg.course_runs.iter_by_reference(COURSE)),
    lambda ssg: ssg.course_runs.sessions(1, COURSE),
    lambda ssg: ssg.attendance.view(1, COURSE),
    lambda ssg: ssg.trainers.list(),
    lambda ssg: ssg.catalogue.registry_search(RegistryQuery()),
    lambda ssg: ssg.credit.decrypt_request("x"),
]


@pytest.mark.parametrize("status", ["200 OK", "400 x", "404 x", "500 x"])
def test_any_reply(status: str) -> None:
    current = [""]
    with (
        hostile(lambda connection, request: reply(current[0], status)(connection, request)) as server,
        client(server.url) as ssg,
    ):

        @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(envelopes | documents)
        def each(document: Any) -> None:
            current[0] = json.dumps(document)
            for calls, is_write in ((WRITES, True), (READS, False)):
                for call in calls:
                    try:
                        result = call(ssg)
                    except SsgError as error:
                        assert NRIC not in str(error) + repr(error) + repr(vars(error))
                        assert error.__context__ is None or isinstance(error.__context__, SsgError)
                        if is_write:
                            assert error.error_class is not ErrorClass.RETRYABLE
                    else:
                        assert NRIC not in repr(result)

        each()
