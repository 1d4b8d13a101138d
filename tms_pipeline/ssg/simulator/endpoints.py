"""The endpoint table: path, method, auth and encryption of every call (ssg-api 2.4, 4 to 8)."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    applications,
    assessments,
    attendance,
    calculator,
    catalogue,
    codes,
    course_run_views,
    course_runs,
    credit,
    enrolment_views,
    enrolments,
    grants,
    sessions,
    tokens,
    trainers,
)
from .calls import Call, Endpoint
from .envelopes import COURSE, TPG, Reply

# Versions seen, by group; a group that is not here takes any (ssg-api 1.2).
VERSIONS: dict[str, frozenset[str]] = {
    group: frozenset(versions.split())
    for group, versions in {
        "course_runs": "1.0",
        "legacy_runs": "1.0 1.2 1.3 1.4",
        "sessions": "1.3 1.4 1.5",
        "enrolments": "1.0 3.0",
        "assessments": "1.0",
        "grants": "1.0",
        "codes": "1.0",
        "trainers": "2.0",
        "directory": "1.2",
        "ratings": "2.0",
        "popular": "2.0",
        "registry": "8.0",
        "credit": "2.0",
        "calculator": "1.0",
        "applications": "1.0",
        "provider_courses": "1.1",
    }.items()
}
EXPIRED: dict[str, frozenset[str]] = {"directory": frozenset({"1.1"}), "popular": frozenset({"1.1"})}

RUN, LEGACY = "/courses/courseRuns", "/courses/runs"
ATTENDANCE = LEGACY + "/{run_id}/sessions/attendance"
TRAINERS = "/trainingProviders/{uen}/trainers"
ENROL, ASSESS, GRANT = "/tpg/enrolments", "/tpg/assessments", "/tpg/grants"
REGISTRY = "/tpg/courses/registry"
CLAIM, CALC, DIR = "/skillsFutureCredits/claims", "/grantCalculators/individual", "/courses/directory"

Handler = Callable[[Call], Reply]


def _row(
    name: str,
    route: str,
    handler: Handler,
    group: str,
    how: str,
    summary: str,
    actions: dict[str, str] | None = None,
) -> Endpoint:
    """`how` reads "auth request reply [writes]": table 2.4 in four words."""
    method, _, path = route.partition(" ")
    auth, request, reply, *more = how.split()
    dialect = TPG if path.startswith("/tpg/") or group == "calculator" else COURSE
    return Endpoint(name, method, path, handler, group, auth, request, reply == "encrypted", dialect,
                    more == ["writes"], actions or {}, summary)  # fmt: skip


# fmt: off
ENDPOINTS: list[Endpoint] = [
    _row("enrolment.create", f"POST {ENROL}", enrolments.create, "enrolments",
         "mtls encrypted encrypted writes", "Create an enrolment (6.1)"),
    _row("enrolment.search", f"POST {ENROL}/search", enrolment_views.search, "enrolments",
         "mtls encrypted encrypted", "Search enrolments (6.5)"),
    _row("enrolment.update", f"POST {ENROL}/details/{{ref}}", enrolments.update, "enrolments",
         "mtls encrypted encrypted writes", "Update or cancel an enrolment (6.2)",
         {"cancel": "enrolment.cancel"}),
    _row("enrolment.view", f"GET {ENROL}/details/{{ref}}", enrolment_views.view, "enrolments",
         "mtls none encrypted", "View an enrolment (6.4)"),
    _row("enrolment.fees", f"POST {ENROL}/feeCollections/{{ref}}", enrolments.update_fees, "enrolments",
         "mtls encrypted encrypted writes", "Update fee collection (6.3)"),
    _row("assessment.create", f"POST {ASSESS}", assessments.create, "assessments",
         "mtls encrypted encrypted writes", "Create an assessment (7.1)"),
    _row("assessment.search", f"POST {ASSESS}/search", assessments.search, "assessments",
         "mtls encrypted encrypted", "Search assessments (7.4)"),
    _row("assessment.update", f"POST {ASSESS}/details/{{ref}}", assessments.update, "assessments",
         "mtls encrypted encrypted writes", "Update or void an assessment (7.2)",
         {"void": "assessment.void"}),
    _row("assessment.view", f"GET {ASSESS}/details/{{ref}}", assessments.view, "assessments",
         "mtls none encrypted", "View an assessment (7.3)"),
    _row("grant.search", f"POST {GRANT}/search", grants.search, "grants",
         "mtls encrypted encrypted", "Search grants (8.1)"),
    _row("grant.view", f"GET {GRANT}/details/{{ref}}", grants.view, "grants",
         "mtls none encrypted", "View a grant (8.1)"),
    _row("code.lookup", "GET /tpg/codes/{area}/{parameter}", codes.look_up, "codes",
         "mtls none encrypted", "Code look-up (8.6)"),
    _row("registry.search", f"POST {REGISTRY}/search", catalogue.registry_search, "registry",
         "mtls plain plain", "Course registry search (8.5)"),
    _row("registry.view", f"GET {REGISTRY}/details/{{ref}}", catalogue.registry_view, "registry",
         "mtls none plain", "Course registry details (8.5)"),
    _row("course_run.publish", f"POST {RUN}/publish", course_runs.publish, "course_runs",
         "mtls encrypted plain writes", "Publish course runs (4.1)"),
    _row("course_run.edit", f"POST {RUN}/edit/{{run_id}}", course_runs.edit, "course_runs",
         "mtls encrypted plain writes", "Edit or delete a course run (4.2, 4.3)",
         {"delete": "course_run.delete"}),
    _row("course_run.by_id", f"GET {RUN}/id/{{run_id}}", course_run_views.by_id, "course_runs",
         "mtls none plain", "Course run by id (4.5)"),
    _row("course_run.by_reference", f"GET {RUN}/reference", course_run_views.by_reference, "course_runs",
         "mtls none plain", "Course runs of a course (4.4)"),
    _row("attendance.view", f"GET {ATTENDANCE}", attendance.view, "sessions",
         "mtls none encrypted", "Session attendance (5.1)"),
    _row("attendance.upload", f"POST {ATTENDANCE}", attendance.upload, "sessions",
         "mtls encrypted plain writes", "Upload one attendance row (5.2)"),
    _row("session.list", f"GET {LEGACY}/{{run_id}}/sessions", sessions.list_sessions, "sessions",
         "mtls none plain", "Sessions of a run (4.6)"),
    _row("course_run.legacy_list", f"GET {LEGACY}", course_run_views.by_reference, "legacy_runs",
         "mtls none plain", "Legacy alias of by reference (4.7)"),
    _row("course_run.legacy_view", f"GET {LEGACY}/{{run_id}}", course_run_views.by_id, "legacy_runs",
         "mtls none plain", "Legacy alias of by id (4.7)"),
    _row("course_run.legacy_add", f"POST {LEGACY}", course_runs.legacy_write, "legacy_runs",
         "mtls ignored plain", "Retired add (4.7)"),
    _row("course_run.legacy_edit", f"POST {LEGACY}/{{run_id}}", course_runs.legacy_write, "legacy_runs",
         "mtls ignored plain", "Retired edit (4.7)"),
    _row("trainer.list", f"GET {TRAINERS}", trainers.list_trainers, "trainers",
         "mtls none encrypted", "Trainers of a provider (4.8)"),
    _row("trainer.add", f"POST {TRAINERS}", trainers.add_trainer, "trainers",
         "mtls encrypted plain writes", "Add a trainer (4.8)"),
    _row("trainer.update", f"POST {TRAINERS}/{{trainer_id}}", trainers.edit_trainer, "trainers",
         "mtls encrypted plain writes", "Update or delete a trainer (4.8)", {"delete": "trainer.delete"}),
    _row("credit.encrypt", f"POST {CLAIM}/encryptRequests", credit.encrypt_request, "credit",
         "mtls encrypted plain", "Encrypt a claim request (8.3)"),
    _row("credit.decrypt", f"POST {CLAIM}/decryptRequests", credit.decrypt_request, "credit",
         "mtls encrypted plain", "Decrypt a claim answer (8.3)"),
    _row("credit.documents", f"POST {CLAIM}/{{claim_id}}/supportingdocuments", credit.add_documents, "credit",
         "mtls encrypted plain writes", "Upload supporting documents (8.3)"),
    _row("credit.view", f"GET {CLAIM}/{{claim_id}}", credit.view, "credit",
         "mtls none plain", "View a claim (8.3)"),
    _row("credit.cancel", f"POST {CLAIM}/{{claim_id}}", credit.cancel, "credit",
         "mtls encrypted plain writes", "Cancel a claim (8.3)"),
    _row("grant.estimate", f"POST {CALC}", calculator.estimate, "calculator",
         "either plain plain", "Grant calculator (8.2)"),
    _row("grant.estimate_personalised", f"POST {CALC}/personalised", calculator.estimate, "calculator",
         "either plain plain", "Personalised grant calculator (8.2)"),
    _row("application.search", "POST /courses/applications/trainingprovider/filter", applications.search,
         "applications", "mtls plain plain", "Direct course applications (8.4)"),
    _row("oauth.token", "POST /dp-oauth/oauth/token", tokens.issue, "oauth",
         "none form plain", "Client-credentials token (2.2)"),
    _row("directory.list", f"GET {DIR}", catalogue.directory_list, "catalogue",
         "oauth none plain", "Course directory (8.5)"),
    _row("directory.autocomplete", f"GET {DIR}/autocomplete", catalogue.directory_list, "catalogue",
         "oauth none plain", "Directory autocomplete (8.5)"),
    _row("directory.popular", f"GET {DIR}/popular", catalogue.directory_list, "popular",
         "oauth none plain", "Popular courses (8.5)"),
    _row("directory.featured", f"GET {DIR}/featured", catalogue.directory_list, "catalogue",
         "oauth none plain", "Featured courses (8.5)"),
    _row("directory.quality", f"GET {DIR}/{{ref}}/quality", catalogue.directory_rating, "ratings",
         "oauth none plain", "Course quality ratings (8.5)"),
    _row("directory.outcome", f"GET {DIR}/{{ref}}/outcome", catalogue.directory_rating, "ratings",
         "oauth none plain", "Course outcome ratings (8.5)"),
    _row("directory.related", f"GET {DIR}/{{ref}}/related", catalogue.directory_related, "catalogue",
         "oauth none plain", "Related courses (8.5)"),
    _row("directory.view", f"GET {DIR}/{{ref}}", catalogue.directory_view, "directory",
         "oauth none plain", "Course by reference (8.5)"),
    _row("directory.categories", "GET /courses/categories", catalogue.categories, "catalogue",
         "oauth none plain", "Course categories (8.5)"),
    _row("directory.tags", "GET /courses/tags", catalogue.categories, "catalogue",
         "oauth none plain", "Course tags (8.5)"),
    _row("provider.courses", "GET /trainingproviders/{uen}/courses", catalogue.provider_courses,
         "provider_courses", "either none plain", "Courses by UEN (8.5)"),
]
# fmt: on

NAMES = sorted({e.name for e in ENDPOINTS} | {name for e in ENDPOINTS for name in e.actions.values()})
