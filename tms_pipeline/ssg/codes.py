"""Code lists of SSG's APIs, as they travel (ssg-api 4.0, 5.0, 6.0, 7.0, 8.3).

Values compare without regard to case on the way in, because SSG's own scripts mix `full payment` and
`Full Payment`; on the way out the spelling is always the one printed here.
"""

from enum import IntEnum, StrEnum


class Code(StrEnum):
    """A text code that is read without regard to case."""

    @classmethod
    def _missing_(cls, value: object) -> "Code | None":
        text = str(value).strip().casefold()
        return next((member for member in cls if member.value.casefold() == text), None)


class TrainingMode(Code):
    """`modeOfTraining` (ssg-api 4.0)."""

    CLASSROOM = "1"
    ASYNCHRONOUS_ELEARNING = "2"
    IN_HOUSE = "3"
    ON_THE_JOB = "4"
    PRACTICAL = "5"
    SUPERVISED_FIELD = "6"
    TRAINEESHIP = "7"
    ASSESSMENT = "8"
    SYNCHRONOUS_ELEARNING = "9"

    @property
    def needs_venue(self) -> bool:
        """Floor, unit, postal code and room are needed unless the mode is 2 or 4 (ssg-api 4.1)."""
        return self not in (TrainingMode.ASYNCHRONOUS_ELEARNING, TrainingMode.ON_THE_JOB)


class VacancyCode(Code):
    """`courseVacancy.code` (ssg-api 4.0)."""

    AVAILABLE = "A"
    FULL = "F"
    LIMITED = "L"

    @property
    def description(self) -> str:
        """What SSG calls it."""
        return {"A": "Available", "F": "Full", "L": "Limited Vacancy"}[self.value]


class IdCode(Code):
    """The short form of the id type: trainers and attendance (ssg-api 4.0)."""

    PINK_CARD = "SP"
    BLUE_CARD = "SB"
    FIN = "SO"
    FOREIGN_PASSPORT = "FP"
    OTHERS = "OT"

    @property
    def description(self) -> str:
        """What SSG calls it."""
        return {
            "SP": "Singapore Pink Identification Card",
            "SB": "Singapore Blue Identification Card",
            "SO": "Fin/Work Permit",
            "FP": "Foreign Passport",
            "OT": "Others",
        }[self.value]


class IdType(Code):
    """The long form of the id type: enrolments and assessments (ssg-api 6.0, 7.0)."""

    NRIC = "NRIC"
    FIN = "FIN"
    OTHERS = "OTHERS"


class TrainerType(Code):
    """`trainerType.code`: is the trainer in the provider's profile already? (ssg-api 4.0)"""

    EXISTING = "1"
    NEW = "2"

    @property
    def description(self) -> str:
        """What SSG calls it."""
        return {"1": "Existing", "2": "New"}[self.value]


class Salutation(IntEnum):
    """`salutationId` (ssg-api 4.0)."""

    MR = 1
    MS = 2
    MDM = 3
    MRS = 4
    DR = 5
    PROF = 6


class SponsorshipType(Code):
    """`sponsorshipType` (ssg-api 6.0)."""

    EMPLOYER = "EMPLOYER"
    INDIVIDUAL = "INDIVIDUAL"


class FeeStatus(Code):
    """`fees.collectionStatus`; `Cancelled` only in update and search (ssg-api 6.0)."""

    PENDING = "Pending Payment"
    PARTIAL = "Partial Payment"
    FULL = "Full Payment"
    CANCELLED = "Cancelled"


class EnrolmentStatus(Code):
    """Status of an enrolment (ssg-api 6.0)."""

    CONFIRMED = "Confirmed"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"


class AttendanceStatus(Code):
    """`attendance.status.code` on upload (ssg-api 5.0)."""

    CONFIRMED = "1"
    UNCONFIRMED = "2"
    REJECTED = "3"
    VOIDED = "4"

    @property
    def description(self) -> str:
        """The text that the view call answers for this code."""
        return {"1": "Confirmed", "2": "Unconfirmed", "3": "Rejected", "4": "TP Voided"}[self.value]


class SurveyLanguage(Code):
    """`surveyLanguage.code`; Malay is `MY` (ssg-api 5.0, 14.4)."""

    ENGLISH = "EL"
    MANDARIN = "MN"
    MALAY = "MY"
    TAMIL = "TM"


class AssessmentResult(Code):
    """`result` on the way in; `Void` is only ever answered (ssg-api 7.0)."""

    PASS = "Pass"  # noqa: S105 - an assessment result, no password
    FAIL = "Fail"
    EXEMPT = "Exempt"


class Grade(Code):
    """`grade` (ssg-api 7.0)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


class ClaimCancelCode(Code):
    """`claimCancelCode` of a SkillsFuture Credit claim (ssg-api 8.3)."""

    NO_WISH_TO_USE = "51"
    RESUBMIT = "52"
    COURSE_CANCELLED = "53"
    COURSE_POSTPONED = "54"
    NOT_ENROLLED = "55"
