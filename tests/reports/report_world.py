"""A term in small: runs in every state, submissions, discrepancies, two nights of reviews."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from compliance_world import TODAY, World
from psycopg.types.json import Jsonb

from tms_pipeline.compliance.review import review
from tms_pipeline.store.database import Database

FORMULA = '=HYPERLINK("http://evil.example","Click")'
SCRIPT = "<script>alert(1)</script>"
CLASSES = ("missing there", "differs", "missing here", "waiting")


def fill_for_reports(db: Database) -> None:
    with db.transaction() as connection:
        world = World(connection)
        _records(world)
        _uploads(world)
        _submissions(world)
        _reconciliations(world)
    review(db, today=TODAY - timedelta(days=1), correlation_id="night-1")
    review(db, today=TODAY, correlation_id="night-2")
    with db.transaction() as connection:
        # Reviews bear the time of their night, so that files are the same whenever the tests run.
        connection.execute(
            "UPDATE finding.review SET started_at = (as_of + time '17:00') AT TIME ZONE 'UTC'"
        )


def _records(world: World) -> None:
    world.course()
    world.course("TGS-2026000202", course_title="Kitchen Fire Safety & Rescue", full_course_fee=720,
                 provider_type="in-house", funding_body="IBF")
    refs = [f"HB-{number:05d}" for number in range(1, 13)]
    for ref in refs:
        world.trainee(ref, phone_mark=None if ref == "HB-00012" else b"p")
    for number in range(8):
        code = f"HYG-26{number + 7:02d}-A"
        start = date(2026, 8, 3) + timedelta(days=17 * number)
        end = start + timedelta(days=2)
        world.run(code, start, end, sessions=[start, start + timedelta(days=1), end],
                  course_reference="TGS-2026000202" if number % 3 == 1 else "TGS-2026000101",
                  schedule_info=FORMULA if number == 0 else "Mon to Wed, 9am to 5pm",
                  intake_size=9 if number == 4 else 25, trainer_codes="" if number == 6 else "TR-01")
        if number < 7:
            world.published(code)
        for place, ref in enumerate(refs[: 12 - number // 2]):
            world.enrolment(code, ref)
            if (place + number) % 9 or number < 3:
                world.at_ssg("enrolment", f"{code}|{ref}", on=start + timedelta(days=number))
            if start > TODAY:
                continue
            for session in (1, 2, 3):
                if number == 5 and session == 3:
                    continue
                absent = (place * 7 + session * 3 + number) % 11 > 8
                world.attendance(code, session, ref, "absent" if absent else "present")
                if not absent and (number != 3 or place > 2):
                    world.at_ssg("attendance", f"{code}|{session}|{ref}", on=end + timedelta(days=number * 3))
            if number < 5:
                world.assessment(code, ref, end)
                world.at_ssg("assessment", f"{code}|{ref}|", on=end + timedelta(days=3))
            if place % 4:
                world.at_ssg("fee", f"{code}|{ref}", on=end, collection_status="Full Payment")


def _uploads(world: World) -> None:
    for number, (name, rows, accepted, rejected) in enumerate(
        [("term 3 runs.xlsx", 40, 38, 2), ("attendance_S1234567D.csv", 300, 290, 4), (f"{SCRIPT}.xlsx", 12, 0, 12)],
        start=1,
    ):
        world.insert("intake.upload", upload_id=f"U-{number}", sha256=str(number), file_name=name, state="taken in",
                     received_at=datetime(2026, 11, 17 + number, 1, tzinfo=UTC), received_by="ops", bytes=10, rows=rows,
                     accepted=accepted, rejected=rejected, unchanged=rows - accepted - rejected, correlation_id="c")


def _submissions(world: World) -> None:
    world.insert("outbox.plan", plan_id="P-1", plan_hash="h", correlation_id="c", changes=1, withheld=0, waiting=0,
                 counts="{}")
    states = ["accepted"] * 20 + ["rejected", "dead", "retry", "unknown", "held", "ready", "ready", "planned"]
    for number, state in enumerate(states):
        kind = ("enrolment", "attendance", "assessment")[number % 3]
        created = datetime(2026, 11, 20, 2, tzinfo=UTC) - timedelta(days=number % 7 * 3)
        world.submission(
            plan_id="P-1", kind=kind, key=f"HYG-2607-A|HB-{number:05d}", action="create",
            order_no=5, content_hash=b"x", idempotency_key=f"i-{number}", correlation_id=f"corr-{number}", state=state,
            ssg_ref=f"ENR-2611-{number:06d}" if state == "accepted" else None, upload_id="U-1", sheet="=Sheet 1",
            row_number=number + 2, created_at=created, next_attempt_at=created,
            finished_at=created if state == "accepted" else None,
            error_code="TGS-441" if state in ("rejected", "dead") else None,
            sentence=f"SSG refused it: {SCRIPT}" if state == "rejected" else None,
            remedy="Correct the birth date and drop the row again.",
        )
    world.insert("outbox.nightly", correlation_id="c", ssg_writes=7, finished_at=datetime(2026, 11, 20, tzinfo=UTC))


def _reconciliations(world: World) -> None:
    for night in range(6):
        day = TODAY - timedelta(days=5 - night)
        (review_id,) = world.connection.execute(
            "INSERT INTO finding.review (about, as_of, correlation_id, counts) VALUES ('reconciliation', %s, 'c', %s) "
            "RETURNING review_id",
            [day, Jsonb({"matched": {"enrolment": 70 + night, "attendance": 200}, "discrepancies": {},
                         "read": {"enrolment": "read", "attendance": "not read" if night == 2 else "read"}})],
        ).fetchone()
        for place, class_ in enumerate(CLASSES):
            for number in range((night * (place + 2)) % 7):
                world.insert("finding.discrepancy", review_id=review_id, **{"class": class_}, kind="enrolment",
                             key=f"HYG-2607-A|HB-{number:05d}", ssg_ref=f"ENR-{number}", field="discount_amount",
                             ours="=1+1", theirs=f"{SCRIPT}@SUM", since=datetime(2026, 11, 19, tzinfo=UTC),
                             what_to_do="Look at both and decide.")
