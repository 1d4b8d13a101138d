"""Trainee: a person who trains; known everywhere else by our own trainee reference."""

from __future__ import annotations

from tms_pipeline.records.field import Field, FieldType, RecordKind, required
from tms_pipeline.records.vocabulary import RESIDENCY, SURVEY_LANGUAGE

NRIC = required(
    name="nric",
    title="NRIC/FIN",
    type=FieldType.NRIC,
    aliases=("NRIC", "FIN", "NRIC / FIN", "NRIC No", "NRIC Number", "NRIC/FIN Number", "Trainee ID", "IC No", "IC Number",
             "Trainee NRIC/FIN Number", "Trainee NRIC", "ID Number", "Your NRIC or FIN", "What is your NRIC or FIN?"),
    personal=True,
    at_ssg=False,  # part of the key, as the trainee reference; never compared as a value
    help="Sealed as soon as it is read; shown nowhere.",
)

TRAINEE = RecordKind(
    name="trainee",
    title="Trainee",
    plural="Trainees",
    order=4,
    key=("nric",),
    signature=("nric", "full_name", "birth_date"),
    submitted=False,
    fields=(
        NRIC,
        required(name="full_name", title="Full Name", personal=True, at_ssg=True, max_length=200,
                 aliases=("Name", "Trainee Name", "Trainee Full Name", "Name as in NRIC", "Name as on NRIC",
                          "Trainee FULL Name as on government ID", "Your full name"), help="As on the identity card."),
        required(name="birth_date", title="Date of Birth", type=FieldType.DATE, personal=True, at_ssg=True,
                 aliases=("DOB", "Birth Date", "Birthdate", "D.O.B.", "Trainee DOB")),
        required(name="email", title="Email", type=FieldType.EMAIL, personal=True, at_ssg=True, max_length=100,
                 aliases=("E-mail", "Email Address", "Trainee Email", "E-mail address", "Your e-mail address")),
        required(name="phone", title="Mobile", type=FieldType.PHONE, personal=True, at_ssg=True, max_length=20,
                 aliases=("Phone", "Mobile Number", "Mobile No", "Contact Number", "Contact No", "Handphone", "HP",
                          "Trainee Phone", "Trainee Mobile Phone Number", "Trainee Contact", "Your mobile number")),
        Field(name="phone_country", title="Phone Country Code", type=FieldType.CODE, default="65", max_length=5,
              pattern=r"^\+?\d{1,3}$", aliases=("Country Code", "Trainee Phone Country Code"), at_ssg=True),
        Field(name="residency", title="Residency", type=FieldType.CHOICE, choices=RESIDENCY,
              aliases=("Citizenship", "Nationality status", "Residential Status"),
              help="Tells a pink card from a blue one, which the number cannot."),
        Field(name="survey_language", title="Survey Language", type=FieldType.CHOICE, choices=SURVEY_LANGUAGE,
              default="EL", aliases=("Language", "Preferred Language")),
    ),
    guidance="One row a trainee. SSG wants both an e-mail address and a mobile number of everyone who is enrolled.",
)
