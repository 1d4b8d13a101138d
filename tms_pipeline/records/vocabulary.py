"""Code lists that several record kinds share, each with the words that ops use for them."""

from __future__ import annotations

# Source: ssg-api 4.0, mode of training (SSG API tester v2, core/constants.py).
MODE_OF_TRAINING = {
    "1": ("Classroom", "Class room", "Physical"),
    "2": ("Asynchronous eLearning", "Asynchronous e-learning", "Async eLearning", "E-learning"),
    "3": ("In-house", "Inhouse"),
    "4": ("On-the-Job", "On the job", "OJT"),
    "5": ("Practical", "Practicum", "Practical / Practicum", "Kitchen practical"),
    "6": ("Supervised Field",),
    "7": ("Traineeship",),
    "8": ("Assessment",),
    "9": ("Synchronous eLearning", "Synchronous (e)Learning", "Synchronous e-learning", "Zoom", "Online class"),
}
# Modes that need no room: ssg-api 4.1, venue "Y unless mode 2 or 4".
MODES_WITHOUT_VENUE = frozenset({"2", "4"})

# Source: ssg-api 4.0, course vacancy.
VACANCY = {"A": ("Available", "Open"), "F": ("Full",), "L": ("Limited Vacancy", "Limited")}

# Source: ssg-api 5.0, survey language (MY for Malay).
SURVEY_LANGUAGE = {
    "EL": ("English", "Eng"),
    "MN": ("Mandarin", "Chinese"),
    "MY": ("Malay",),
    "TM": ("Tamil",),
}

# Source: ssg-api 6.0, sponsorship type.
SPONSORSHIP = {
    "INDIVIDUAL": (
        "Individual",
        "Self",
        "Self-sponsored",
        "Self sponsored",
        "Self-funded",
        "Self-paid",
        "Self-paying",
        "Own",
        "Personal",
    ),
    "EMPLOYER": (
        "Employer",
        "Company",
        "Company-sponsored",
        "Company sponsored",
        "Company-funded",
        "Employer-sponsored",
        "Employer-funded",
        "Sponsored by company",
        "Sponsored by employer",
    ),
}

# Source: ssg-api 6.0, fees.collectionStatus.
FEE_STATUS = {
    "Pending Payment": ("Pending", "Unpaid", "Not paid", "Outstanding"),
    "Partial Payment": ("Partial", "Part paid", "Deposit"),
    "Full Payment": ("Full", "Paid", "Fully paid", "Paid in full"),
}

# Source: ssg-api 7.0, assessment result on input.
RESULT = {
    "Pass": ("Competent", "C", "P", "Passed"),
    "Fail": ("Not Yet Competent", "NYC", "F", "Failed", "Not competent"),
    "Exempt": ("Exempted", "Exemption"),
}
GRADE: dict[str, tuple[str, ...]] = dict.fromkeys("ABCDEF", ())

# How ops mark attendance; what of it SSG is told is in ``attendance``.
ATTENDANCE_MARK = {
    "present": ("P", "Present", "Yes", "Y", "✓", "✔", "√", "1", "Attended", "In", "Here", "Came"),
    "late": ("L", "Late", "Came late"),
    "absent": (
        "A",
        "Absent",
        "No",
        "N",
        "✗",
        "✘",
        "x",
        "0",
        "MC",
        "AWOL",
        "No show",
        "Excused",
        "VR",
        "Did not attend",
    ),
}

# Source: ssg-api 4.0, ID type short form (pink and blue cards cannot be told from the number).
RESIDENCY = {
    "citizen": ("Singaporean", "Singapore Citizen", "SC", "Citizen", "Pink IC"),
    "pr": ("PR", "SPR", "Permanent Resident", "Singapore PR", "Blue IC"),
    "foreigner": ("Foreigner", "Work Permit", "S Pass", "Employment Pass", "FIN", "LTVP"),
}

# Source: ssg-api 4.0, trainer role.
TRAINER_ROLE = {"trainer": ("Trainer", "1"), "assessor": ("Assessor", "2"), "both": ("Trainer and assessor", "Both")}

# Source: ssg-api 4.0, salutation ids.
SALUTATION = {"1": ("Mr",), "2": ("Ms", "Miss"), "3": ("Mdm", "Madam"), "4": ("Mrs",), "5": ("Dr",), "6": ("Prof",)}

ENROLMENT_STATUS = {
    "confirmed": ("Confirmed", "Active", "Enrolled", "Yes"),
    "withdrawn": ("Withdrawn", "Cancelled", "Canceled", "Dropped", "Withdrew"),
}
RUN_STATUS = {
    "confirmed": ("Confirmed", "Open", "Running", "Planned"),
    "cancelled": ("Cancelled", "Canceled", "Called off"),
}

PROVIDER_TYPE = {"public": ("Public", "Public provider"), "in-house": ("In-house", "In house", "Inhouse")}
FUNDING_BODY = {"SSG": ("SkillsFuture", "SSG", "WSG"), "IBF": ("IBF",)}
