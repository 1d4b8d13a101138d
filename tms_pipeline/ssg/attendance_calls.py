"""Attendance at SSG (ssg-api 5)."""

from tms_pipeline.ssg.attendance import AttendanceBody, SessionAttendance
from tms_pipeline.ssg.codes import IdCode
from tms_pipeline.ssg.enrolment_calls import check_id_number
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import ShapeError, SsgError, failure
from tms_pipeline.ssg.replies import Group, listed, total_of

_CHECKED = (IdCode.PINK_CARD, IdCode.BLUE_CARD, IdCode.FIN)


class Attendance(Group):
    """`client.attendance`. All raise SsgError; what a request breaks raises ShapeError."""

    def view(
        self,
        run_id: int,
        course_reference: str,
        session_id: str | None = None,
        *,
        correlation_id: str | None = None,
    ) -> list[SessionAttendance]:
        """The sessions of a run, or one of them, with their attendance rows (ssg-api 5.1).

        No rows is a session with an empty list, or an empty list where SSG answers 404. Fewer rows than SSG
        counts raises SSG-LIST-CHANGED.
        """

        def read(answer: Answer) -> list[SessionAttendance]:
            run = answer.member("courseRun")
            if not isinstance(run, dict):
                raise TypeError("data.courseRun must be an object")
            sessions = [
                SessionAttendance.model_validate({**session, "runId": run.get("id", run_id)})
                for session in listed(run.get("sessions"))
            ]
            count = sum(len(session.attendance) for session in sessions)
            if count < total_of(answer, count):
                raise failure("SSG-LIST-CHANGED")
            return sessions

        try:
            return self._transport.call(
                "attendance.view",
                read,
                record_id=run_id,
                query={
                    "uen": self._transport.config.uen,
                    "courseReferenceNumber": course_reference,
                    "sessionId": session_id,
                },
                correlation_id=correlation_id,
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return []

    def upload(self, run_id: int, body: AttendanceBody, *, correlation_id: str | None = None) -> None:
        """Upload one trainee's attendance of one session (ssg-api 5.2).

        The same trainee and session again changes the same row; status 4 voids it.
        """
        config = self._transport.config
        if not config.corppass_id:
            raise ShapeError("corppassId", "must not be blank", endpoint="attendance.upload")
        check_id_number(
            config.check_id_numbers and body.trainee.id_type in _CHECKED,
            body.trainee.id,
            "course.attendance.trainee.id",
            "attendance.upload",
        )
        self._transport.call(
            "attendance.upload",
            lambda answer: None,
            record_id=run_id,
            body=body.to_body(config.uen, config.corppass_id),
            correlation_id=correlation_id,
        )
