"""Course runs and their sessions at SSG (ssg-api 4.1 to 4.6)."""

from collections.abc import Iterator, Sequence
from typing import Any

from tms_pipeline.ssg.course_run import CourseRunBody, CourseRunEdit
from tms_pipeline.ssg.course_run_view import CourseHead, CourseRunPage, CourseRunView
from tms_pipeline.ssg.envelope import Answer, whole_number
from tms_pipeline.ssg.errors import ShapeError, SsgError, failure
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page
from tms_pipeline.ssg.replies import Group, listed, total_of
from tms_pipeline.ssg.session import SessionView

MAX_PAGE = 100  # used by clients; the documented maximum is not known (ssg-api 4.4, 10)


class CourseRuns(Group):
    """`client.course_runs`. All raise SsgError; what a request breaks raises ShapeError."""

    def publish(
        self,
        course_reference: str,
        runs: Sequence[CourseRunBody],
        *,
        include_expired: bool = True,
        correlation_id: str | None = None,
    ) -> list[int]:
        """Publish runs of one course; their ids, in the same order (ssg-api 4.1).

        SSG may accept the same run twice: look with `by_reference` first. Several runs in one call are
        allowed by shape, but the official tester sends one.
        """
        if not runs:
            raise ShapeError("course.runs", "at least one run", endpoint="course_runs.publish")
        body = self._course(course_reference, runs=[run.to_wire() for run in runs])

        def read(answer: Answer) -> list[int]:
            found = answer.member("runs")
            ids = [
                whole_number(run.get("id") if isinstance(run, dict) else None)
                for run in (found if isinstance(found, list) else [])
            ]
            numbers = [number for number in ids if number is not None]
            if len(numbers) != len(runs):
                raise failure("SSG-REPLY-NO-REFERENCE")
            return numbers

        return self._transport.call(
            "course_runs.publish",
            read,
            query={"includeExpiredCourses": include_expired},
            body=body,
            correlation_id=correlation_id,
        )

    def edit(
        self,
        run_id: int,
        course_reference: str,
        body: CourseRunEdit,
        *,
        include_expired: bool = True,
        correlation_id: str | None = None,
    ) -> None:
        """Change a run, its sessions and its trainers, all in one call (ssg-api 4.2)."""
        self._transport.call(
            "course_runs.edit",
            _done,
            record_id=run_id,
            query={"includeExpiredCourses": include_expired},
            body=self._course(course_reference, run=body.to_wire()),
            correlation_id=correlation_id,
        )

    def delete(
        self,
        run_id: int,
        course_reference: str,
        *,
        include_expired: bool = True,
        correlation_id: str | None = None,
    ) -> None:
        """Delete a run and all its sessions (ssg-api 4.3). Gone already raises `already_done`."""
        self._transport.call(
            "course_runs.delete",
            _done,
            record_id=run_id,
            query={"includeExpiredCourses": include_expired},
            body=self._course(course_reference, run={"action": "delete"}),
            correlation_id=correlation_id,
        )

    def view(
        self, run_id: int, *, include_expired: bool = True, correlation_id: str | None = None
    ) -> CourseRunView:
        """A run by its id (ssg-api 4.5). One that is not there raises SSG-NOT-FOUND."""
        return self._transport.call(
            "course_runs.view",
            _read_run,
            record_id=run_id,
            query={"includeExpiredCourses": include_expired},
            correlation_id=correlation_id,
        )

    def by_reference(
        self,
        course_reference: str,
        *,
        page: int = 0,
        page_size: int = MAX_PAGE,
        include_expired: bool = True,
        correlation_id: str | None = None,
    ) -> CourseRunPage:
        """One page of a course's runs (ssg-api 4.4). No run is an empty page."""
        endpoint = "course_runs.by_reference"
        check_page(page, page_size, MAX_PAGE, endpoint)
        check_text(course_reference, "courseReferenceNumber", 100, endpoint)

        def read(answer: Answer) -> CourseRunPage:
            course = answer.member("course")
            if not isinstance(course, dict):
                raise TypeError("data.course must be an object")
            head = CourseHead.model_validate(course)
            runs = tuple(
                CourseRunView.model_validate({**run, "course": head}) for run in listed(course.get("runs"))
            )
            return CourseRunPage(head, runs, total_of(answer, len(runs)), page, page_size)

        try:
            return self._transport.call(
                endpoint,
                read,
                query={
                    "uen": self._transport.config.uen,
                    "courseReferenceNumber": course_reference,
                    "page": page,
                    "pageSize": page_size,
                    "includeExpiredCourses": include_expired,
                },
                correlation_id=correlation_id,
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return CourseRunPage(CourseHead(referenceNumber=course_reference), (), 0, page, page_size)

    def iter_by_reference(
        self, course_reference: str, *, page_size: int = MAX_PAGE, include_expired: bool = True
    ) -> Iterator[CourseRunView]:
        """Every run of a course; raises rather than giving a part of the list."""

        def fetch(page: int) -> Page[CourseRunView]:
            found = self.by_reference(
                course_reference, page=page, page_size=page_size, include_expired=include_expired
            )
            return Page(found.runs, found.total, page, page_size)

        return every(fetch, lambda run: run.id, "course_runs.by_reference")

    def sessions(
        self,
        run_id: int,
        course_reference: str,
        month: str | None = None,
        *,
        include_expired: bool = True,
        correlation_id: str | None = None,
    ) -> list[SessionView]:
        """The sessions of a run (ssg-api 4.6); month: `MMYYYY`. A run without sessions gives an empty list.

        SSG answers the same 404 for a run without sessions and for one that it does not know.
        """
        endpoint = "course_runs.sessions"
        if month is not None and not (len(month) == 6 and month.isdigit() and 1 <= int(month[:2]) <= 12):
            raise ShapeError("sessionMonth", "MMYYYY", endpoint=endpoint)

        def fetch(page: int | None) -> Page[SessionView]:
            def read(answer: Answer) -> Page[SessionView]:
                found = tuple(SessionView.model_validate(item) for item in listed(answer.member("sessions")))
                return Page(found, total_of(answer, len(found)), page or 0, MAX_PAGE)

            return self._transport.call(
                endpoint,
                read,
                record_id=run_id,
                query={
                    "uen": self._transport.config.uen,
                    "courseReferenceNumber": course_reference,
                    "sessionMonth": month,
                    "includeExpiredCourses": include_expired,
                    "page": page,
                    "pageSize": None if page is None else MAX_PAGE,
                },
                correlation_id=correlation_id,
            )

        try:
            whole = fetch(None)
            if whole.total == len(whole.items):
                return list(whole.items)
            return list(every(fetch, lambda session: session.id, endpoint))
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return []

    def _course(self, course_reference: str, **members: Any) -> dict[str, Any]:
        check_text(course_reference, "course.courseReferenceNumber", 100, "course_runs")
        return {
            "course": {
                "courseReferenceNumber": course_reference,
                "trainingProvider": {"uen": self._transport.config.uen},
                **members,
            }
        }


def check_text(value: str, field: str, maximum: int, endpoint: str) -> None:
    """Raise ShapeError for a text that is blank or too long."""
    if not value.strip():
        raise ShapeError(field, "must not be blank", endpoint=endpoint)
    if len(value) > maximum:
        raise ShapeError(field, f"at most {maximum} characters", endpoint=endpoint)


def check_page(page: int, page_size: int, maximum: int, endpoint: str) -> None:
    """Raise ShapeError for a page before the first, or a size outside 1 to `maximum`."""
    if page < 0:
        raise ShapeError("page", "0 or more", endpoint=endpoint)
    if not 1 <= page_size <= maximum:
        raise ShapeError("pageSize", f"1 to {maximum}", endpoint=endpoint)


def _done(answer: Answer) -> None:
    """A change without a reply of its own: the envelope said yes."""


def _read_run(answer: Answer) -> CourseRunView:
    """The run, at whichever level some credentials meet it (ssg-api 4.5)."""
    document = answer.document or {}
    places = (answer.data, document)
    for place in places:
        for course in (place.get("course"), place) if isinstance(place, dict) else ():
            run = course.get("run") if isinstance(course, dict) else None
            if isinstance(run, dict):
                return CourseRunView.model_validate({**run, "course": CourseHead.model_validate(course)})
    raise TypeError("a run was expected")
