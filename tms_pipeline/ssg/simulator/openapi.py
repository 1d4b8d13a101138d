"""The OpenAPI 3 document of the simulated API; payloads are described decrypted (ssg-api 4 to 8)."""

from __future__ import annotations

import re
from typing import Any

from .calls import Endpoint
from .codes import ATTENDANCE, GRADES, ID_TYPES, MODES, SURVEY_LANGUAGES, TPG_ID_TYPES, VACANCIES
from .endpoints import ENDPOINTS, VERSIONS
from .envelopes import Json

S: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
N: Json = {"type": "number"}
B: Json = {"type": "boolean"}
DAY: Json = {"type": "string", "format": "date"}
NUMERIC_DAY: Json = {"type": "integer", "minimum": 20000101, "maximum": 20991231}
PAGE: Json = {
    "page": {**WHOLE, "minimum": 0, "maximum": 9999},
    "pageSize": {**WHOLE, "minimum": 1, "maximum": 100},
}


def text(maximum: int) -> Json:
    """A text with its maximum length."""
    return {"type": "string", "maxLength": maximum}


def choice(*values: str) -> Json:
    """One of several texts."""
    return {"type": "string", "enum": list(values)}


def shape(required: str = "", **properties: Json) -> Json:
    """An object; `required` names the required members."""
    found: Json = {"type": "object", "properties": properties}
    if required:
        found["required"] = required.split()
    return found


def listed(item: Json, least: int = 0) -> Json:
    """An array."""
    return {"type": "array", "items": item, "minItems": least}


PHONE = shape("countryCode phoneNumber", countryCode=text(5), areaCode=text(10), phoneNumber=text(20))
VENUE = shape(
    "floor unit postalCode room",
    block=text(10),
    street=text(32),
    floor=text(3),
    unit=text(5),
    building=text(66),
    postalCode=text(6),
    room=text(255),
    wheelChairAccess=B,
    primaryVenue=B,
)
CODED = shape("code", code=S, description=S)
RUN_REF = shape("id", id=text(20))
PARTNER = shape("uen code", uen=text(20), code=text(20))
SORT = shape("", field=choice("updatedOn", "createdOn"), order=choice("asc", "desc"))
WINDOW = shape("", lastUpdateDateFrom=DAY, lastUpdateDateTo=DAY)
PARAMETERS = {**shape("page pageSize", **PAGE)}
TRAINER = shape(
    "trainerType idNumber",
    trainerType=shape("code", code=choice("1", "2"), description=text(128)),
    indexNumber=WHOLE,
    id=S,
    name=text(66),
    email=text(320),
    idNumber=text(50),
    idType=shape("code", code=choice(*ID_TYPES), description=text(128)),
    roles=listed(shape("role", role=shape("id description", id=WHOLE, description=S))),
    inTrainingProviderProfile=B,
    domainAreaOfPractice=text(1000),
    experience=text(1000),
    linkedInURL=text(255),
    salutationId=WHOLE,
    photo=shape("", name=text(255), content=S),
    linkedSsecEQAs=listed(shape("", description=S, ssecEQA=shape("code", code=S))),
)
SESSION = shape(
    "startDate endDate startTime endTime modeOfTraining venue",
    action=choice("add", "update", "delete"),
    sessionId=text(300),
    startDate=S,
    endDate=S,
    startTime=S,
    endTime=S,
    modeOfTraining=choice(*MODES),
    venue=VENUE,
)
RUN_FIELDS: Json = {
    "sequenceNumber": WHOLE,
    "registrationDates": shape("opening closing", opening=NUMERIC_DAY, closing=NUMERIC_DAY),
    "courseDates": shape("start end", start=NUMERIC_DAY, end=NUMERIC_DAY),
    "scheduleInfoType": shape("code description", code=text(2), description=text(32)),
    "scheduleInfo": S,
    "venue": VENUE,
    "intakeSize": WHOLE,
    "threshold": WHOLE,
    "registeredUserCount": WHOLE,
    "modeOfTraining": choice(*MODES),
    "courseAdminEmail": text(255),
    "courseVacancy": shape("code", code=choice(*VACANCIES), description=text(128)),
    "file": shape("", Name=text(255), content=S),
    "sessions": listed(SESSION),
    "linkCourseRunTrainer": listed(shape("trainer", trainer=TRAINER)),
}
COURSE_HEAD: Json = {"courseReferenceNumber": text(100), "trainingProvider": shape("uen", uen=text(20))}
ENROLMENT = shape(
    "course trainee trainingPartner",
    course=shape("referenceNumber run", referenceNumber=text(100), run=RUN_REF),
    trainingPartner=PARTNER,
    trainee=shape(
        "id idType fullName dateOfBirth emailAddress contactNumber sponsorshipType fees",
        id=text(20),
        idType=shape("type", type=choice(*TPG_ID_TYPES)),
        fullName=text(200),
        dateOfBirth=DAY,
        emailAddress=text(100),
        contactNumber=PHONE,
        enrolmentDate=DAY,
        sponsorshipType=choice("EMPLOYER", "INDIVIDUAL"),
        employer=shape(
            "",
            uen=text(50),
            contact=shape("", fullName=text(50), emailAddress=text(100), contactNumber=PHONE),
        ),
        fees=shape(
            "collectionStatus",
            discountAmount={**N, "minimum": 0},
            collectionStatus=choice("Pending Payment", "Partial Payment", "Full Payment"),
        ),
    ),
)
ENROLMENT_EDIT = shape(
    "action",
    action=choice("Update", "Cancel"),
    course=shape("", run=RUN_REF),
    trainee=shape("", email=text(100), contactNumber=PHONE),
    employer=shape("", contact=shape("", fullName=text(50), email=text(100), contactNumber=PHONE)),
    fees=shape("", discountAmount={**N, "minimum": 0}, collectionStatus=text(50)),
    enrolmentDate=DAY,
)
MARKS: Json = {
    "result": choice("Pass", "Fail", "Exempt"),
    "score": {**WHOLE, "minimum": 0, "maximum": 100},
    "grade": choice(*GRADES),
    "assessmentDate": DAY,
    "skillCode": text(30),
}
FILTER = shape("", referenceNumber=S, run=shape("", id=S))

BODIES: dict[str, Json] = {
    "course_run.publish": shape("course", course=shape(
        "courseReferenceNumber trainingProvider runs", **COURSE_HEAD, runs=listed(shape(
            "registrationDates courseDates scheduleInfoType scheduleInfo modeOfTraining courseAdminEmail "
            "courseVacancy venue", **RUN_FIELDS), 1))),
    "course_run.edit": shape("course", course=shape("courseReferenceNumber trainingProvider run",
        **COURSE_HEAD,
        run=shape("action", action=choice("update", "delete"), **RUN_FIELDS))),
    "attendance.upload": shape("uen corppassId course", uen=S, corppassId=S, course=shape(
        "sessionID referenceNumber attendance", sessionID=text(300), referenceNumber=text(100),
        attendance=shape("status trainee", status=shape("code", code=choice(*ATTENDANCE)), trainee=shape(
            "id name idType contactNumber surveyLanguage", id=text(50), name=text(66), email=text(320),
            idType=shape("code", code=choice(*ID_TYPES)), contactNumber=shape(
                "countryCode", mobile=text(15), countryCode={**WHOLE, "minimum": 1, "maximum": 999},
                areaCode={"type": ["integer", "null"], "minimum": 0, "maximum": 99999}),
            numberOfHours={**N, "minimum": 0.5, "maximum": 8}, surveyLanguage=shape(
                "code", code=choice(*SURVEY_LANGUAGES)))))),
    "trainer.add": shape("trainer", trainer=TRAINER),
    "trainer.update": shape("trainer", trainer=shape(
        "action", action=choice("update", "delete"), name=text(66), email=text(320))),
    "enrolment.create": shape("enrolment", enrolment=ENROLMENT),
    "enrolment.update": shape("enrolment", enrolment=ENROLMENT_EDIT),
    "enrolment.fees": shape("enrolment", enrolment=shape("fees", fees=shape(
        "collectionStatus", collectionStatus=choice("Pending Payment", "Partial Payment", "Full Payment")))),
    "enrolment.search": shape("enrolment parameters", enrolment=shape(
        "trainingPartner", status=S, trainingPartner=PARTNER, course=FILTER, trainee=shape("", id=S)),
        meta=WINDOW, sortBy=SORT, parameters=PARAMETERS),
    "assessment.create": shape("assessment", assessment=shape(
        "course trainee result assessmentDate trainingPartner", course=shape(
            "referenceNumber run", referenceNumber=text(100), run=RUN_REF),
        trainingPartner=PARTNER, trainee=shape(
            "id idType fullName", id=text(20), idType=choice(*TPG_ID_TYPES), fullName=text(200)),
        conferringInstitute=shape("", code=S), **MARKS)),
    "assessment.update": shape("assessment", assessment=shape(
        "action", action=choice("update", "void"), trainee=shape("", fullName=text(200)), **MARKS)),
    "assessment.search": shape("assessments parameters", assessments=shape(
        "trainingPartner", trainingPartner=PARTNER, course=FILTER, trainee=shape("", id=S), skillCode=S,
        enrolment=shape("", referenceNumber=S)), meta=WINDOW, sortBy=SORT, parameters=PARAMETERS),
    "grant.search": shape("grants parameters", grants=shape(
        "trainingPartner", trainingPartner=PARTNER, course=FILTER, trainee=shape("", id=S),
        employer=shape("", uen=S), enrolment=shape("", referenceNumber=S)),
        meta=WINDOW, sortBy=SORT, parameters=PARAMETERS),
    "registry.search": shape("", keyword=S, page=PAGE["page"],
                             pageSize={**WHOLE, "minimum": 1, "maximum": 20},
                             details=S, sortBy=shape("", field=S, order=choice("asc", "desc"))),
    "credit.encrypt": shape("claimRequest", claimRequest=shape(
        "individual course", individual=shape("nric", nric=text(9), email=text(241)), course=shape(
            "id startDate fee", id=text(50), runId=text(50), startDate=DAY, fee={**N, "minimum": 0}),
        additionalInformation=text(512))),
    "credit.decrypt": shape("claimRequestStatus", claimRequestStatus=S),
    "credit.cancel": shape("nric claimCancelCode", nric=text(9),
                           claimCancelCode=choice("51", "52", "53", "54", "55")),
    "credit.documents": shape("nric attachments", nric=text(9), attachments=listed(shape(
        "fileName fileType attachmentByte", fileName=S, fileSize=S, fileType=S, attachmentId=S,
        attachmentByte=S), 1)),
    "grant.estimate": shape("courses", courses=listed(shape(
        "courseReferenceNumber", trainingPartnerUen=S, courseReferenceNumber=S), 1)),
    "grant.estimate_personalised": shape("courses", applicant=shape("", sme=B, nric=S, nricType=S,
        employerSponsored=B), courses=listed(shape("", courseReferenceNumber=S, course=shape(
            "", referenceNumber=S, startDate=S), trainee=shape("", idType=S, id=S)), 1)),
    "application.search": shape("uen", uen=S, tpCode=S, **PAGE, sortBy=S, sortOrder=S, keyword=S,
                                applicationId=S, applicationStatus=S),
    "oauth.token": shape("grant_type", grant_type=choice("client_credentials")),
}  # fmt: skip
QUERIES: dict[str, dict[str, tuple[Json, bool]]] = {
    "course_run.publish": {"includeExpiredCourses": (B, False)},
    "course_run.edit": {"includeExpiredCourses": (B, False)},
    "course_run.by_id": {"includeExpiredCourses": (B, False)},
    "course_run.by_reference": {"uen": (S, True), "courseReferenceNumber": (S, True),
                                "page": (PAGE["page"], False),
                                "pageSize": (PAGE["pageSize"], False), "tpCode": (S, False),
                                "courseRunStartDate": (S, False), "includeExpiredCourses": (B, False)},
    "session.list": {"uen": (S, False), "courseReferenceNumber": (S, False), "sessionMonth": (S, False)},
    "attendance.view": {"uen": (S, False), "courseReferenceNumber": (S, False), "sessionId": (S, False)},
    "trainer.list": {"page": (PAGE["page"], False), "pageSize": (PAGE["pageSize"], False),
                     "keyword": (S, False)},
    "credit.view": {"nric": (S, True)},
}  # fmt: skip
QUERIES["course_run.legacy_list"] = QUERIES["course_run.by_reference"]

COURSE_ENVELOPE = shape("data error meta status", data={}, error=shape(), meta=shape(), status=WHOLE)
TPG_ENVELOPE = shape("status data meta error", status={}, data={}, meta=shape(), error=shape())
GATEWAY_ENVELOPE = shape("status error", status=WHOLE, error=shape("message", message=S))
ENVELOPES = {"course": COURSE_ENVELOPE, "tpg": TPG_ENVELOPE}


def _operation(endpoint: Endpoint) -> Json:
    notes = {
        "encrypted": "Request: base64 of AES-256-CBC of the JSON below, bare or as a JSON string.",
        "plain": "Request: plain JSON.",
        "form": "Request: form.",
    }
    reply = "base64 of the encrypted JSON below" if endpoint.reply_encrypted else "plain JSON"
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {**S, "minLength": 1}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    for name, (schema, required) in QUERIES.get(endpoint.name, {}).items():
        parameters.append({"name": name, "in": "query", "required": required, "schema": schema})
    if endpoint.group in VERSIONS:
        versions = sorted(VERSIONS[endpoint.group])
        parameters.append({"name": "x-api-version", "in": "header", "required": False,
                           "schema": choice(*(f"v{v}" for v in versions))})  # fmt: skip
    described = {"application/json": {"schema": ENVELOPES[endpoint.dialect] if endpoint.group not in (
        "oauth", "credit") else shape()}}  # fmt: skip
    operation: Json = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"{notes.get(endpoint.request, 'No request body.')} Reply: {reply}.",
        "tags": [endpoint.name.partition(".")[0]],
        "parameters": parameters,
        "x-encrypted-request": endpoint.request == "encrypted",
        "x-encrypted-reply": endpoint.reply_encrypted,
        "responses": {"200": {"description": "Success", "content": described}} | {
            code: {"description": reason, "content": {"application/json": {"schema": shape()}}}
            for code, reason in (("400", "Refused: gateway or business error"), ("401", "Bad token"),
                                 ("403", "Not this caller, or not this version"), ("404", "Nothing there"))
        },
        "security": {"mtls": [{"certificate": []}], "oauth": [{"bearer": []}],
                     "either": [{"certificate": []}, {"bearer": []}]}.get(endpoint.auth, []),
    }  # fmt: skip
    if endpoint.name in BODIES:
        kind = "application/x-www-form-urlencoded" if endpoint.request == "form" else "application/json"
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": BODIES[endpoint.name]}}}
    return operation


def document() -> Json:
    """The whole document."""
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Simulated SSG TPGateway",
            "version": "1",
            "description": "Request and reply payloads are shown decrypted; `x-encrypted-request` and "
            "`x-encrypted-reply` say which travel as base64 ciphertext (AES-256-CBC, fixed IV).",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "certificate": {"type": "mutualTLS"},
                "bearer": {"type": "http", "scheme": "bearer"},
            }
        },
    }
