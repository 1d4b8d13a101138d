"""What the SSG client costs a call: 1,000 encrypted enrolment creates through it, and through bare httpx.

    python -m benchmarks.ssg_client [--calls 1000]

Both against the same simulator at no latency, one after the other, in turns of 100 so that the machine's moods
hit both. Bare httpx posts one body that was encrypted before, and does not look at the answer.
"""

import contextlib
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx

from benchmarks.harness import Figure, emit, options
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.course_run import CourseDates, CourseRunBody, CourseVacancy, RegistrationDates
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.enrolment import Employer, EmployerContact, EnrolmentBody, EnrolmentTrainee, Fees
from tms_pipeline.ssg.party import ContactNumber, CourseAndRun
from tms_pipeline.ssg.venue import Venue

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # the public vector key of ssg-api 2.3
UEN, COURSE = "201912345K", "TGS-2024000101"
TURN = 100
BAR_MS = 3.0


@contextlib.contextmanager
def simulator() -> Iterator[str]:
    """A simulator of its own; its URL."""
    with tempfile.TemporaryDirectory() as folder:
        ready_file = Path(folder) / "ready.json"
        command = [
            sys.executable,
            "-m",
            "tms_pipeline.ssg.simulator",
            "--port",
            "0",
            "--uen",
            UEN,
            "--key",
            KEY,
        ]
        process = subprocess.Popen([*command, "--ready-file", str(ready_file)], stdout=subprocess.DEVNULL)
        try:
            for _ in range(1000):
                if ready_file.exists() and ready_file.read_text().strip():
                    break
                time.sleep(0.02)
            yield json.loads(ready_file.read_text())["base_url"]
        finally:
            process.terminate()
            process.wait(timeout=10)


def course_run() -> CourseRunBody:
    """A made-up run to enrol in."""
    start = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    return CourseRunBody(
        registration_dates=RegistrationDates(opening=start - dt.timedelta(days=20), closing=start),
        course_dates=CourseDates(start=start, end=start),
        schedule_info="Mon, 9am to 5pm",
        venue=Venue(floor="03", unit="12", postal_code="069999", room="Room A"),
        mode_of_training="1",
        course_admin_email="office@example.test",
        course_vacancy=CourseVacancy(code="A"),
    )


def enrolment(run_id: int) -> EnrolmentBody:
    """A made-up trainee's enrolment, built anew for every call as the pipeline does."""
    contact = ContactNumber(phone_number="80000001")
    return EnrolmentBody(
        course=CourseAndRun(reference_number=COURSE, run_id=run_id),
        trainee=EnrolmentTrainee(
            id="S9999203D",
            id_type="NRIC",
            full_name="Made-up Person Tan",
            date_of_birth=dt.date(1990, 1, 31),
            email_address="made.up@example.test",
            contact_number=contact,
            enrolment_date=dt.date(2026, 10, 1),
            sponsorship_type="EMPLOYER",
            employer=Employer(
                uen=UEN,
                contact=EmployerContact(
                    full_name="Made-up Person Lim",
                    email_address="made.up@example.test",
                    contact_number=contact,
                ),
            ),
            fees=Fees(discount_amount=Decimal("50.25"), collection_status="Full Payment"),
        ),
    )


def measure(calls: int) -> dict[str, float]:
    """Milliseconds a call, both ways."""
    spent = {"client": 0.0, "bare": 0.0}
    with simulator() as url, httpx.Client(trust_env=False) as bare:
        config = ClientConfig(base_url=url, uen=UEN, encryption_key=KEY)
        with SsgClient(config) as ssg:
            run_id = ssg.course_runs.publish(COURSE, [course_run()])[0]
            wire = {"trainingPartner": {"uen": UEN, "code": f"{UEN}-01"}, **enrolment(run_id).to_wire()}
            sealed = '"' + BodyCipher(KEY).encrypt(json.dumps({"enrolment": wire})) + '"'
            headers = {"content-type": "application/json", "accept": "application/json", "uen": UEN}

            def through_client() -> None:
                ssg.enrolments.create(enrolment(run_id))

            def through_httpx() -> None:
                reply = bare.post(f"{url}/tpg/enrolments", content=sealed, headers=headers)
                assert reply.status_code == 200

            ways = {"client": through_client, "bare": through_httpx}
            for call in ways.values():
                for _ in range(20):
                    call()
            for done in range(0, calls, TURN):
                for name, call in ways.items():
                    started = time.perf_counter()
                    for _ in range(min(TURN, calls - done)):
                        call()
                    spent[name] += time.perf_counter() - started
    return {name: seconds / calls * 1000 for name, seconds in spent.items()}


def main() -> None:
    """Measure, and print the figures."""
    calls = options(__doc__, calls=1000).calls
    found = measure(calls)
    emit([
        Figure("an encrypted create through the client", calls, found["client"], limit=found["bare"],
               limit_name="bare httpx", unit="ms"),
        Figure("what the client adds to a call", calls, found["client"] - found["bare"], bound=BAR_MS, against="itself",
               unit="ms"),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
