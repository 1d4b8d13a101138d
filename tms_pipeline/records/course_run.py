"""Course run: one running of a course, published at SSG before it starts."""

from __future__ import annotations

from tms_pipeline.records.course import COURSE_REFERENCE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.vocabulary import MODE_OF_TRAINING, RUN_STATUS, VACANCY

RUN_CODE = required(
    name="run_code",
    title="Course Run",
    type=FieldType.CODE,
    aliases=("Run Code", "Run", "Course Run Code", "Run No", "Class Code", "Class", "Intake", "Batch",
             "Which class are you in?", "Which class did you attend?"),
    max_length=30,
    pattern=r"^[A-Z0-9][A-Z0-9./-]*$",
    example="HYG-2609-A",
    help="Our own code of the course run; every other sheet refers to it.",
)
MODE = required(name="mode_of_training", title="Mode of Training", type=FieldType.CHOICE,
                aliases=("Mode", "Training Mode"), choices=MODE_OF_TRAINING, at_ssg=True, example="Classroom")

COURSE_RUN = RecordKind(
    name="course_run",
    title="Course run",
    plural="Course runs",
    order=2,
    key=("run_code",),
    signature=("run_code", "course_reference", "start_date", "end_date", "registration_open"),
    parents=(Parent(kind="course", fields=("course_reference",)), Parent(kind="trainer", fields=("trainer_codes",))),
    fields=(
        RUN_CODE,
        COURSE_REFERENCE,
        required(name="registration_open", title="Registration Opening", type=FieldType.DATE, at_ssg=True,
                 aliases=("Registration Open", "Reg Opening Date", "Registration Opening Date", "Registration Start")),
        required(name="registration_close", title="Registration Closing", type=FieldType.DATE, at_ssg=True,
                 aliases=("Registration Close", "Reg Closing Date", "Registration Closing Date", "Registration End")),
        required(name="start_date", title="Start Date", type=FieldType.DATE, at_ssg=True,
                 aliases=("Course Start Date", "Run Start", "Course Start", "Commencement")),
        required(name="end_date", title="End Date", type=FieldType.DATE, at_ssg=True,
                 aliases=("Course End Date", "Run End", "Course End", "Completion")),
        required(name="schedule_info", title="Schedule", aliases=("Schedule Info", "Days and Hours", "Timetable"),
                 at_ssg=True, max_length=300, example="Mon to Wed, 9am to 5pm"),
        MODE,
        Field(name="block", title="Block", aliases=("Blk",), at_ssg=True, max_length=10),
        Field(name="street", title="Street", aliases=("Street Name", "Address"), at_ssg=True, max_length=32),
        Field(name="floor", title="Floor", aliases=("Level", "Storey"), at_ssg=True, max_length=3,
              help="Needed unless the mode is Asynchronous eLearning or On-the-Job."),
        Field(name="unit", title="Unit", aliases=("Unit No",), at_ssg=True, max_length=5,
              help="Needed unless the mode is Asynchronous eLearning or On-the-Job."),
        Field(name="building", title="Building", aliases=("Building Name",), at_ssg=True, max_length=66),
        Field(name="postal_code", title="Postal Code", type=FieldType.POSTAL, aliases=("Postal", "Postcode", "Zip"),
              at_ssg=True, help="Needed unless the mode is Asynchronous eLearning or On-the-Job."),
        Field(name="room", title="Room", aliases=("Training Room", "Venue Room", "Kitchen"), at_ssg=True, max_length=255,
              help="Needed unless the mode is Asynchronous eLearning or On-the-Job."),
        Field(name="wheelchair_access", title="Wheelchair Access", type=FieldType.YES_NO, default="false", at_ssg=True,
              aliases=("Wheel Chair Access", "Wheelchair")),
        required(name="intake_size", title="Intake Size", type=FieldType.INTEGER, at_ssg=True, minimum=1, maximum=5000,
                 aliases=("Class Size", "Capacity", "Max Pax", "Seats"), example="25"),
        Field(name="threshold", title="Threshold", type=FieldType.INTEGER, default="0", at_ssg=True, minimum=0,
              maximum=5000, aliases=("Extra Seats",)),
        required(name="admin_email", title="Course Admin Email", type=FieldType.EMAIL, at_ssg=True, max_length=255,
                 aliases=("Admin Email", "Course Admin E-mail", "Contact Email for Course"),
                 help="A shared mailbox of the provider, not a person's; SSG sends QR codes there."),
        Field(name="vacancy", title="Vacancy", type=FieldType.CHOICE, choices=VACANCY, default="A", at_ssg=True,
              aliases=("Course Vacancy",)),
        Field(name="trainer_codes", title="Trainer Codes", type=FieldType.CODES, at_ssg=True,
              aliases=("Trainers", "Trainer", "Taught By"), example="TR-01; TR-02"),
        Field(name="run_status", title="Run Status", type=FieldType.CHOICE, choices=RUN_STATUS, default="confirmed",
              aliases=("Status of Run",)),
    ),
    guidance="One row a course run. Publish before the start date: a run that SSG learns of late is not funded.",
)
