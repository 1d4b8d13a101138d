"""Trainers of a provider, and the trainers linked to a run (ssg-api 4.1, 4.2, 4.4, 4.8)."""

from __future__ import annotations

from typing import Any

from .calls import Call, World
from .codes import EQA, ID_TYPES, TRAINER_TYPES
from .envelopes import INVALID, Json, Reply, course_error, course_reply, detail
from .fields import Problems, branch, dig, masked, text, whole

LIMITS = {
    "name": 66,
    "email": 320,
    "idNumber": 50,
    "idType.code": 2,
    "idType.description": 128,
    "domainAreaOfPractice": 1000,
    "experience": 1000,
    "linkedInURL": 255,
    "trainerType.description": 128,
    "photo.name": 255,
}


def _roles(given: Any) -> list[Json]:
    roles = []
    for item in given if isinstance(given, list) else []:
        role = branch(item, "role")
        roles.append(
            {"role": {"id": whole(role.get("id")) or 1, "description": text(role.get("description"))}}
        )
    return roles


def _id_type(given: Json) -> Json:
    code = text(given.get("code") or given.get("id")).upper()
    return {"code": code, "description": ID_TYPES.get(code, text(given.get("description")))}


def _photo(given: Any) -> Json:
    name, content = (
        text(branch({"p": given}, "p").get("name")),
        text(branch({"p": given}, "p").get("content")),
    )
    return {"content": content, "name": name} if name or content else {}


def profile_by_id_number(world: World, uen: str, id_number: str) -> Json | None:
    """Existing trainers are matched on the id number (ssg-api 4.1)."""
    wanted = id_number.upper()
    return next((t for t in world.store.find("trainer_by_uen", uen) if t["idNumber"].upper() == wanted), None)


def _record(world: World, uen: str, given: Json, old: Json | None = None) -> Json:
    """A trainer record from a request body, keeping what the body leaves out."""
    base = old or {}
    id_number = text(given.get("idNumber")) or base.get("idNumber", "")
    levels = [
        {
            "description": text(q.get("description")),
            "level": {
                "code": text(dig(q, "level.code")),
                "description": EQA.get(text(dig(q, "level.code")), ""),
            },
        }
        for q in given.get("qualifications") or []
        if isinstance(q, dict)
    ]
    codes = [text(dig(q, "ssecEQA.code")) for q in given.get("linkedSsecEQAs") or [] if isinstance(q, dict)]

    def kept(name: str) -> str:
        return text(given[name]) if name in given else text(base.get(name))

    return {
        "id": base.get("id") or world.guid("trainer", uen, id_number.upper()),
        "uen": uen,
        "name": kept("name"),
        "email": kept("email"),
        "idNumber": id_number,
        "idType": _id_type(branch(given, "idType"))
        if branch(given, "idType")
        else base.get("idType", {"code": "", "description": ""}),
        "roles": _roles(given["roles"]) if given.get("roles") else base.get("roles", []),
        "domainAreaOfPractice": kept("domainAreaOfPractice"),
        "experience": kept("experience"),
        "linkedInURL": kept("linkedInURL"),
        "salutationId": whole(given.get("salutationId")) or base.get("salutationId", 1),
        "photo": _photo(given["photo"]) if "photo" in given else base.get("photo", {}),
        "qualifications": levels if "qualifications" in given else base.get("qualifications", []),
        "eqas": codes if "linkedSsecEQAs" in given else base.get("eqas", []),
    }


def seeded(world: World, uen: str, given: Json) -> Json:
    """A trainer of the data file or the control API, put into the profile."""
    record = _record(world, uen, given)
    world.store.put("trainers", record["id"], record)
    return record


def resolve(call: Call, uen: str, given: Any, problems: Problems, prefix: str) -> list[Json]:
    """The trainers of a run from `linkCourseRunTrainer`; the list replaces the old one (ssg-api 4.2)."""
    linked: list[Json] = []
    if given is None:
        return linked
    if not isinstance(given, list):
        problems.add(prefix, "Invalid trainer list")
        return linked
    for number, item in enumerate(given):
        trainer, path = branch(item, "trainer"), f"{prefix}[{number}].trainer."
        kind = text(dig(trainer, "trainerType.code"))
        if kind not in TRAINER_TYPES:
            problems.add(path + "trainerType.code", "Invalid trainer type")
            continue
        inner = Problems(path)
        inner.required(trainer, "idNumber", message="This field is required.") if kind == "2" or not text(
            trainer.get("id")
        ) else None
        profile = profile_by_id_number(call.world, uen, text(trainer.get("idNumber")))
        if kind == "1":
            if profile is None:
                by_id = call.store.get("trainers", text(trainer.get("id")).lower())
                profile = by_id if by_id is not None and by_id["uen"] == uen else None
            if profile is None and not inner.details:
                # 3.4 gives the key word only; the sentence around it is not known
                inner.add("idNumber", "existing_trainer_notfound")
        else:
            inner.required(
                trainer,
                "name",
                "email",
                "idType.code",
                "domainAreaOfPractice",
                message="This field is required.",
            )
            if not _roles(trainer.get("roles")):
                inner.add("roles", "This field is required.")
            if (
                text(dig(trainer, "idType.code"))
                and text(dig(trainer, "idType.code")).upper() not in ID_TYPES
            ):
                inner.add("idType.code", "Invalid id type")
            inner.lengths(trainer, LIMITS)
        problems.details += inner.details
        if inner.details:
            continue
        record = dict(profile) if kind == "1" and profile else _record(call.world, uen, trainer, profile)
        in_profile = kind == "1" or trainer.get("inTrainingProviderProfile") is True
        linked.append(
            {
                **record,
                "type": kind,
                "indexNumber": whole(trainer.get("indexNumber")) or 0,
                "inProfile": in_profile,
            }
        )
    return linked


def remember(call: Call, linked: list[Json]) -> None:
    """`inTrainingProviderProfile: true` also adds a new trainer to the profile (ssg-api 4.1)."""
    for trainer in linked:
        if trainer["inProfile"] and trainer["type"] == "2":
            record = {k: v for k, v in trainer.items() if k not in ("type", "indexNumber", "inProfile")}
            if call.store.get("trainers", record["id"]) != record:
                call.store.put("trainers", record["id"], record)


def run_view(world: World, trainer: Json) -> Json:
    """A linked trainer in a course-run reply: masked id, lower-case GUID, `ssecEQAs` (ssg-api 4.4)."""
    return {
        "trainer": {
            "domainAreaOfPractice": trainer["domainAreaOfPractice"],
            "email": trainer["email"],
            "experience": trainer["experience"],
            "id": trainer["id"].lower(),
            "idNumber": masked(trainer["idNumber"]),
            "idType": trainer["idType"],
            "inTrainingProviderProfile": trainer["inProfile"],
            "indexNumber": trainer["indexNumber"],
            "linkedInURL": trainer["linkedInURL"],
            "name": trainer["name"],
            "organizationKey": trainer["uen"],
            "photo": trainer["photo"],
            "roles": trainer["roles"],
            "salutationId": trainer["salutationId"],
            "ssecEQAs": [
                {"ssecEQA": {"code": code, "description": EQA.get(code, "")}} for code in trainer["eqas"]
            ],
            "trainerType": {"code": trainer["type"], "description": TRAINER_TYPES[trainer["type"]]},
            "uuid": world.guid("uuid", trainer["id"]).replace("-", ""),
        }
    }


def _own(call: Call) -> str:
    uen = call.path_params["uen"]
    if uen != call.app.uen:
        raise course_error(403, [detail("-", "TGS-405 - Invalid training partner UEN")])
    return uen


def list_trainers(call: Call) -> Reply:
    """GET /trainingProviders/{uen}/trainers (ssg-api 4.8)."""
    uen = _own(call)
    page, size = whole(call.query.get("page", "0")), whole(call.query.get("pageSize", "20"))
    if page is None or page < 0 or size is None or not 1 <= size <= 100:
        raise course_error(400, [detail("pageSize", "Page must be 0 or more, page size 1 to 100")], INVALID)
    keyword = call.query.get("keyword", "").lower()
    found = (
        []
        if call.pretend_empty
        else [
            t
            for t in call.store.find("trainer_by_uen", uen)
            if not keyword or keyword in f"{t['name']} {t['email']} {t['idNumber']}".lower()
        ]
    )
    linked: dict[str, int] = {}
    for run in call.store.all("runs"):
        if not run["deleted"] and run["uen"] == uen:
            for trainer in run["trainers"]:
                linked[trainer["id"]] = linked.get(trainer["id"], 0) + 1
    rows = [
        {
            "indexNumber": page * size + number,
            "id": t["id"],
            "name": t["name"],
            "email": t["email"],
            "idNumber": masked(t["idNumber"]),
            "idType": {"id": t["idType"]["code"], "description": t["idType"]["description"]},
            "roles": t["roles"],
            "inTrainingProviderProfile": True,
            "domainAreaOfPractice": t["domainAreaOfPractice"],
            "experience": t["experience"],
            "linkedInURL": t["linkedInURL"],
            "salutationId": t["salutationId"],
            "totalCourseRunLinkWithTrainer": linked.get(t["id"], 0),
            "qualifications": t["qualifications"],
            "photo": t["photo"] or None,
        }
        for number, t in enumerate(found[page * size : (page + 1) * size])
    ]
    return course_reply({"trainers": rows}, {"total": len(found), "page": page, "pageSize": size})


def _checked(call: Call, old: Json | None) -> Json:
    given, problems = branch(call.body, "trainer"), Problems("trainer.")
    merged = {**(old or {}), **given}
    problems.required(merged, "name", "email", "idNumber", "idType.code", message="This field is required.")
    problems.lengths(given, LIMITS)
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    return given


def add_trainer(call: Call) -> Reply:
    """POST /trainingProviders/{uen}/trainers (ssg-api 4.8). Reply shape by analogy with publish [U]."""
    uen = _own(call)
    given = _checked(call, None)
    if profile_by_id_number(call.world, uen, text(given.get("idNumber"))) is not None:
        raise course_error(400, [detail("trainer.idNumber", "Trainer already exists")], INVALID)
    return course_reply({"trainer": {"id": seeded(call.world, uen, given)["id"]}})


def edit_trainer(call: Call) -> Reply:
    """POST /trainingProviders/{uen}/trainers/{id} with action update or delete (ssg-api 4.8)."""
    uen = _own(call)
    key = call.path_params["trainer_id"].lower()
    old = call.store.get("trainers", key)
    if old is None or old["uen"] != uen:
        raise course_error(404, [detail("", "No trainer found.")])
    action = text(dig(call.body, "trainer.action")).lower()
    if action == "delete":
        call.store.delete("trainers", key)
    elif action == "update":
        call.store.put("trainers", key, _record(call.world, uen, _checked(call, old), old))
    else:
        raise course_error(400, [detail("trainer.action", "Action must be update or delete")], INVALID)
    return course_reply({})
