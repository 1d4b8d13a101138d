"""Code lists of the course, attendance, TPG and grant APIs, and the code look-ups (ssg-api 4.0 to 8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .envelopes import Reply, detail, tpg_error, tpg_reply

if TYPE_CHECKING:
    from .calls import Call

MODES = {
    "1": "Classroom",
    "2": "Asynchronous eLearning",
    "3": "In-house",
    "4": "On-the-Job",
    "5": "Practical / Practicum",
    "6": "Supervised Field",
    "7": "Traineeship",
    "8": "Assessment",
    "9": "Synchronous (e)Learning",
}
VENUELESS = ("2", "4")  # 4.1: venue not required, endDate free
VACANCIES = {"A": "Available", "F": "Full", "L": "Limited Vacancy"}
ID_TYPES = {
    "SP": "Singapore Pink Identification Card",
    "SB": "Singapore Blue Identification Card",
    "SO": "Fin/Work Permit",
    "FP": "Foreign Passport",
    "OT": "Others",
}
TRAINER_TYPES = {"1": "Existing", "2": "New"}
SURVEY_LANGUAGES = {"EL": "English", "MN": "Mandarin", "MY": "Malay", "TM": "Tamil"}
ATTENDANCE = {"1": "Confirmed", "2": "Unconfirmed", "3": "Rejected", "4": "TP Voided"}
TPG_ID_TYPES = ("NRIC", "FIN", "OTHERS")
SPONSORSHIPS = {"EMPLOYER": "Employer", "INDIVIDUAL": "Individual"}
COLLECTIONS = {
    name.lower(): name for name in ("Pending Payment", "Partial Payment", "Full Payment", "Cancelled")
}
RESULTS = {"pass": "Pass", "fail": "Fail", "exempt": "Exempt"}
GRADES = ("A", "B", "C", "D", "E", "F")
CLAIM_CANCEL = {
    "51": "Do not wish to use credit",
    "52": "Resubmit",
    "53": "Course cancelled",
    "54": "Course postponed",
    "55": "Not enrolled",
}
FUNDING_COMPONENTS = {
    "CF": "Course Fee",
    "AF": "Assessment Fee",
    "AP": "Absentee Payroll",
    "TA": "Training Allowance",
}
# 8.1 names the schemes by code only, but for WSS in the authored sample; the other texts are our own.
FUNDING_SCHEMES = {
    "BASELINE": "Baseline",
    "MCES": "Mid-Career Enhanced Subsidy",
    "WSS": "Workfare Skills Support",
    "ETSS": "Enhanced Training Support for SMEs",
    "WTS": "Workfare Training Support",
    "ETSP": "Enhanced Training Support Package",
}
EQA = {
    "01": "Never Attended School",
    "02": "Pre-Primary",
    "03": "Primary without PSLE",
    "04": "BEST 1-3",
    "11": "PSLE",
    "12": "BEST 4",
    "13": "At least 3 WPLN at level 1-2",
    "21": "Secondary Education without GCE 'O' / 'N' Level or equivalent",
    "22": "WISE 1-3",
    "23": "Basic vocational",
    "24": "At least 3 WPLN at level 3-4",
    "31": "At least 1 N-level pass",
    "32": "At least 1 O-level pass",
    "33": "NITEC intermediate (NTC-3)",
    "34": "ITE skills certificate",
    "35": "At least 3 WPLN at level 5 or above",
    "39": "Other secondary",
    "41": "At least 1 A-level pass",
    "42": "Nitec (NTC-2)",
    "43": "Higher Nitec",
    "44": "Master Nitec",
    "45": "WSQ certificate",
    "46": "WSQ higher certificate",
    "47": "WSQ advanced certificate",
    "48": "Other post-secondary, general",
    "49": "Other post-secondary, vocational",
    "51": "Polytechnic diploma",
    "52": "Post-diploma",
    "61": "ITE diploma",
    "62": "Other diploma",
    "63": "Professional body",
    "64": "WSQ diploma",
    "65": "WSQ specialist diploma",
    "69": "Other professional qualification",
    "71": "First degree",
    "72": "Long first degree",
    "81": "Postgraduate diploma",
    "82": "WSQ graduate certificate",
    "83": "WSQ graduate diploma",
    "91": "Master's degree",
    "92": "Doctorate",
    "N1": "One WSQ SOA at post-secondary level",
    "N2": "One WSQ SOA at diploma level",
    "N3": "One WSQ SOA at degree level",
    "N4": "One WSQ SOA at postgraduate level",
    "N9": "Other SOA",
    "XX": "Not reported",
}
ERRORS = {
    "TGS-405": "Invalid training partner UEN",
    "TGS-406": "Invalid course reference number",
    "TGS-425": "Invalid skill code",
    "TGS-439": "Enrolment is already cancelled",
    "TGS-441": "Required fields cannot be blank",
}

LOOKUPS: dict[str, dict[str, dict[str, str]]] = {
    "grants": {"fundingComponent": FUNDING_COMPONENTS, "fundingScheme": FUNDING_SCHEMES},
    "enrolments": {
        "sponsorshipType": SPONSORSHIPS,
        "idType": {name: name for name in TPG_ID_TYPES},
        "collectionStatus": {name: name for name in COLLECTIONS.values()},
        "status": {"Confirmed": "Confirmed", "Cancelled": "Cancelled"},
    },
    "assessments": {
        "idType": {name: name for name in TPG_ID_TYPES},
        "result": {name: name for name in RESULTS.values()},
        "grade": {name: name for name in GRADES},
    },
}


def look_up(call: Call) -> Reply:
    """GET /tpg/codes/{area}/{parameter} (ssg-api 8.6). The reply shape was never captured [U]."""
    area, name = call.path_params["area"], call.path_params["parameter"]
    if area == "error":
        wanted = name.upper()
        table = {code: ERRORS[code] for code in ERRORS if wanted in (code, code.removeprefix("TGS-"))}
    else:
        tables = {key.lower(): value for key, value in LOOKUPS.get(area, {}).items()}
        table = tables.get(name.lower(), {})
    if not table:
        raise tpg_error(404, "Not Found", [detail("codeParameter", "No code list of this name")])
    return tpg_reply([{"code": code, "description": label} for code, label in table.items()], {})
