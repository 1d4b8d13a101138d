"""The made-up provider's courses, trainers and kitchens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Course:
    """A course, with the sittings of one training day as (start, end, mode of training)."""

    code: str
    reference: str
    title: str
    skill_code: str
    fee: str
    hours: str
    days: int
    sittings: tuple[tuple[str, str, str], ...]
    mode: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer of the provider."""

    code: str
    name: str
    nric: str
    email: str
    salutation: str
    role: str
    domain: str
    experience: str | None


@dataclass(frozen=True, slots=True)
class Venue:
    """A training kitchen. The addresses are made up."""

    block: str
    street: str
    floor: str
    unit: str
    building: str | None
    postal_code: str
    room: str
    wheelchair: str


_DAY = (("09:00", "12:30", "1"), ("13:30", "17:00", "1"))
_KITCHEN = (("09:00", "12:30", "1"), ("13:30", "17:00", "5"))

COURSES: tuple[Course, ...] = (
    Course("HYG", "TGS-2026900101", "Food Hygiene for Hawkers", "FSS-FSE-1001-1.1", "480.00", "28", 4, _DAY, "1",
           "Four weekdays, 9am to 5pm"),
    Course("WOK", "TGS-2026900102", "Wok Skills: Heat, Timing and Char", "FSS-COK-2003-1.1", "620.00", "28", 4,
           _KITCHEN, "5", "Four weekdays, 9am to 5pm, in the kitchen"),
    Course("KOP", "TGS-2026900103", "Kopi and Teh: Brewing and Pulling", "FSS-BEV-1002-1.0", "390.50", "26", 4,
           (("09:00", "12:30", "1"), ("13:30", "16:30", "5")), "1", "Four weekdays, 9am to 4.30pm"),
    Course("STB", "TGS-2026900104", "Stall Business Basics", "RET-BIZ-1004-2.0", "350.00", "16.5", 6,
           (("19:00", "21:45", "9"),), "9", "Six weekday evenings, 7pm to 9.45pm, on Zoom"),
)

VENUES: tuple[Venue, ...] = (
    # The first postal code begins with a zero, so that typed as a number it loses it.
    Venue("9", "Sample Street", "02", "12", "Wok Hei House (made up)", "019999", "Kitchen 1", "true"),
    Venue("321A", "Example Avenue 4", "01", "07", None, "389999", "Kitchen 2", "false"),
)

# Code, name, salutation, role, area, experience. The NRICs are made in ``term`` with everybody else's.
TRAINERS: tuple[tuple[str, str, str, str, str, str | None], ...] = (
    ("TR-01", "Koh Beng Wok", "1", "both", "Wok cooking and kitchen safety", "31 years at a zi char stall"),
    ("TR-02", "Rohani binte Sample", "3", "trainer", "Food hygiene and allergens", "Former hygiene officer"),
    ("TR-03", "Devaki d/o Example", "2", "both", "Kopi, teh and drinks stalls", None),
    ("TR-04", "Gerard de Specimen", "1", "trainer", "Costing, suppliers and stall leases", "Ran three stalls"),
    ("TR-05", "Ong Siew Kiat", "5", "assessor", "Assessment of culinary competencies", None),
)
TRAINERS_OF = {"HYG": ("TR-02", "TR-05"), "WOK": ("TR-01",), "KOP": ("TR-03",), "STB": ("TR-04", "TR-05")}

ADMIN_EMAIL = "courses@example.com"
