"""Every call of SSG's API that the client makes: path, host, encryption, time (ssg-api 1.2, 2.4)."""

from dataclasses import dataclass
from typing import Literal

WRITE_TIME = 2.0  # creates take longer than 30 s and are done all the same: 60 s at the default (anchors A1)
READ_TIME = 1.0


@dataclass(frozen=True)
class Endpoint:
    """One call.

    name: stable, used in records, limits and the error table. version_group: key of
    `ClientConfig.api_versions`. encrypted: the request body (ssg-api 2.4). is_write: SSG may change.
    time: times `timeout_seconds`.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    version_group: str
    encrypted: bool = False
    is_write: bool = False
    oauth: bool = False
    time: float = READ_TIME

    @property
    def uen_header(self) -> bool:
        """The `uen` header: required by registry and grant search, recommended for the rest of TPG (1.3)."""
        return self.version_group in ("enrolments", "assessments", "grants", "registry")


def _read(name: str, path: str, group: str, *, oauth: bool = False) -> Endpoint:
    return Endpoint(name, "GET", path, group, oauth=oauth)


def _query(name: str, path: str, group: str, *, encrypted: bool = True) -> Endpoint:
    return Endpoint(name, "POST", path, group, encrypted=encrypted)


def _write(name: str, path: str, group: str) -> Endpoint:
    return Endpoint(name, "POST", path, group, encrypted=True, is_write=True, time=WRITE_TIME)


_ALL = (
    _write("course_runs.publish", "/courses/courseRuns/publish", "course_runs"),
    _write("course_runs.edit", "/courses/courseRuns/edit/{id}", "course_runs"),
    _write("course_runs.delete", "/courses/courseRuns/edit/{id}", "course_runs"),
    _read("course_runs.view", "/courses/courseRuns/id/{id}", "course_runs"),
    _read("course_runs.by_reference", "/courses/courseRuns/reference", "course_runs"),
    _read("course_runs.sessions", "/courses/runs/{id}/sessions", "sessions"),
    _read("attendance.view", "/courses/runs/{id}/sessions/attendance", "attendance"),
    _write("attendance.upload", "/courses/runs/{id}/sessions/attendance", "attendance"),
    _read("trainers.list", "/trainingProviders/{uen}/trainers", "trainers"),
    _write("trainers.add", "/trainingProviders/{uen}/trainers", "trainers"),
    _write("trainers.update", "/trainingProviders/{uen}/trainers/{id}", "trainers"),
    _write("trainers.delete", "/trainingProviders/{uen}/trainers/{id}", "trainers"),
    _write("enrolments.create", "/tpg/enrolments", "enrolments"),
    _write("enrolments.update", "/tpg/enrolments/details/{id}", "enrolments"),
    _write("enrolments.cancel", "/tpg/enrolments/details/{id}", "enrolments"),
    _write("enrolments.update_fee", "/tpg/enrolments/feeCollections/{id}", "enrolments"),
    _read("enrolments.view", "/tpg/enrolments/details/{id}", "enrolments"),
    _query("enrolments.search", "/tpg/enrolments/search", "enrolments"),
    _write("assessments.create", "/tpg/assessments", "assessments"),
    _write("assessments.update", "/tpg/assessments/details/{id}", "assessments"),
    _write("assessments.void", "/tpg/assessments/details/{id}", "assessments"),
    _read("assessments.view", "/tpg/assessments/details/{id}", "assessments"),
    _query("assessments.search", "/tpg/assessments/search", "assessments"),
    _query("grants.search", "/tpg/grants/search", "grants"),
    _read("grants.view", "/tpg/grants/details/{id}", "grants"),
    _query(
        "catalogue.registry_search",
        "/tpg/courses/registry/search",
        "registry",
        encrypted=False,
    ),
    _read("catalogue.registry_details", "/tpg/courses/registry/details/{id}", "registry"),
    _read("catalogue.directory", "/courses/directory/{id}", "directory", oauth=True),
    _read("catalogue.quality", "/courses/directory/{id}/quality", "feedback", oauth=True),
    _read("catalogue.outcome", "/courses/directory/{id}/outcome", "feedback", oauth=True),
    _read("codes.grants", "/tpg/codes/grants/{id}", "codes"),
    _read("codes.enrolments", "/tpg/codes/enrolments/{id}", "codes"),
    _read("codes.assessments", "/tpg/codes/assessments/{id}", "codes"),
    _read("codes.error", "/tpg/codes/error/{id}", "codes"),
    _query("credit.encrypt_request", "/skillsFutureCredits/claims/encryptRequests", "credit"),
    _query("credit.decrypt_request", "/skillsFutureCredits/claims/decryptRequests", "credit"),
    _write("credit.supporting_documents", "/skillsFutureCredits/claims/{id}/supportingdocuments", "credit"),
    _read("credit.view_claim", "/skillsFutureCredits/claims/{id}", "credit"),
    _write("credit.cancel_claim", "/skillsFutureCredits/claims/{id}", "credit"),
)

ENDPOINTS = {endpoint.name: endpoint for endpoint in _ALL}
VERSION_GROUPS = frozenset(endpoint.version_group for endpoint in _ALL)
TOKEN_PATH = "/dp-oauth/oauth/token"  # noqa: S105 - a path (ssg-api 2.2)
TOKEN_ENDPOINT = Endpoint("oauth.token", "POST", TOKEN_PATH, "", oauth=True)
