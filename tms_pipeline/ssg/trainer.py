"""Trainers: of a run, and of a provider's profile (ssg-api 4.1, 4.4, 4.8)."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from tms_pipeline.ssg.codes import IdCode, Salutation, TrainerType
from tms_pipeline.ssg.party import CodeView
from tms_pipeline.ssg.values import EMPTY_LIST, EMPTY_OBJECT, Flag, SomeInt, SomeText
from tms_pipeline.ssg.wire import From, Inside, Reply, Request, text


class TrainerRole(Request):
    """`role`: 1 Trainer, 2 Assessor (ssg-api 4.0)."""

    wire_path: ClassVar[str] = "roles.role"
    id: Annotated[int, Field(ge=1)]
    description: Annotated[str, text(128)]


TRAINER_ROLE = TrainerRole(id=1, description="Trainer")
ASSESSOR_ROLE = TrainerRole(id=2, description="Assessor")
Role = Annotated[TrainerRole, Inside("role", model=True)]


class Photo(Request):
    """`photo`: a file name and its base64 content."""

    wire_path: ClassVar[str] = "photo"
    name: Annotated[str, Field(max_length=255)] = ""
    content: str = ""


class Education(Request):
    """One of `linkedSsecEQAs` (ssg-api 4.0)."""

    wire_path: ClassVar[str] = "linkedSsecEQAs"
    description: str | None = None
    code: Annotated[str, Inside("code"), Field(alias="ssecEQA", max_length=2)]


class RunTrainer(Request):
    """`linkCourseRunTrainer[].trainer` (ssg-api 4.1). An existing trainer needs only the id number."""

    wire_path: ClassVar[str] = "linkCourseRunTrainer.trainer"
    trainer_type: TrainerType = TrainerType.EXISTING
    index_number: int = 0
    id: Annotated[str | None, Field(max_length=50)] = None
    name: Annotated[str | None, Field(max_length=66)] = None
    email: Annotated[str | None, Field(max_length=320)] = None
    id_number: Annotated[str, text(50)]
    id_type: IdCode | None = None
    roles: tuple[Role, ...] = ()
    in_training_provider_profile: bool | None = None
    domain_area_of_practice: Annotated[str | None, Field(max_length=1000)] = None
    experience: Annotated[str | None, Field(max_length=1000)] = None
    linked_in_url: Annotated[str | None, Field(alias="linkedInURL", max_length=255)] = None
    salutation_id: Salutation | None = None
    photo: Photo | None = None
    linked_ssec_eqas: Annotated[tuple[Education, ...], Field(alias="linkedSsecEQAs")] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_wire_codes(cls, values: Any) -> Any:
        return _unwrap_codes(values, "trainerType", "idType")

    @model_validator(mode="after")
    def _complete_when_new(self) -> Self:
        if self.trainer_type is TrainerType.NEW:
            _require_new(self, "name", "email", "id_type", "roles", "domain_area_of_practice")
        return self

    def to_wire(self) -> dict[str, Any]:
        """`{"trainer": {…}}` with codes and their descriptions."""
        wire = super().to_wire()
        wire["trainerType"] = {"code": self.trainer_type, "description": self.trainer_type.description}
        if self.id_type:
            wire["idType"] = {"code": self.id_type, "description": self.id_type.description}
        for name in ("roles", "linkedSsecEQAs"):
            if not wire[name]:
                del wire[name]
        return {"trainer": wire}


class Qualification(Request):
    """One of `qualifications` in the provider's profile (ssg-api 4.8)."""

    wire_path: ClassVar[str] = "trainer.qualifications"
    level_code: Annotated[str, Inside("code"), Field(alias="level", max_length=2)]
    description: str = ""


class TrainerBody(Request):
    """A trainer of the provider's profile, new or changed (ssg-api 4.8)."""

    wire_path: ClassVar[str] = "trainer"
    name: Annotated[str, text(66)]
    email: Annotated[str, text(320)]
    id_number: Annotated[str, text(50)]
    id_type: IdCode
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    domain_area_of_practice: Annotated[str, text(1000)]
    experience: Annotated[str, Field(max_length=1000)] = ""
    linked_in_url: Annotated[str, Field(alias="linkedInURL", max_length=255)] = ""
    salutation_id: Salutation | None = None
    photo: Photo | None = None
    qualifications: tuple[Qualification, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_wire_codes(cls, values: Any) -> Any:
        return _unwrap_codes(values, "idType")

    def to_wire(self) -> dict[str, Any]:
        """As it travels, with the descriptions of its codes."""
        wire = super().to_wire()
        wire["idType"] = {"code": self.id_type, "description": self.id_type.description}
        return wire


def _unwrap_codes(values: Any, *names: str) -> Any:
    if not isinstance(values, dict):
        return values
    return {
        name: value.get("code") if name in names and isinstance(value, dict) else value
        for name, value in values.items()
    }


def _require_new(trainer: RunTrainer, *names: str) -> None:
    for name in names:
        if not getattr(trainer, name):
            wire_name = RunTrainer.model_fields[name].alias or name
            raise ValueError(f"{wire_name}: needed for a new trainer (trainerType 2)")


class IdTypeView(Reply):
    """`idType` of a trainer: `code` in runs, `id` in the provider's list (ssg-api 4.8)."""

    shown: ClassVar[tuple[str, ...]] = ("code",)
    code: SomeText = None
    id: SomeText = None
    description: SomeText = None


class RoleView(Reply):
    """A role of a trainer."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    id: SomeInt = None
    description: SomeText = None


class RunTrainerView(Reply):
    """A trainer of a run in a reply. `id_number` is masked: `*****` and four characters (ssg-api 4.4)."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    id: SomeText = None
    uuid: SomeText = None
    name: SomeText = None
    email: SomeText = None
    id_number: SomeText = None
    id_type: Annotated[IdTypeView, EMPTY_OBJECT] = IdTypeView()
    trainer_type: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    roles: Annotated[tuple[Annotated[RoleView, From("role", model=True)], ...], EMPTY_LIST] = ()
    index_number: SomeInt = None
    organization_key: SomeText = None
    in_training_provider_profile: Flag = False
    domain_area_of_practice: SomeText = None
    experience: SomeText = None
    linked_in_url: Annotated[SomeText, Field(alias="linkedInURL")] = None
    salutation_id: SomeInt = None
    education: Annotated[
        tuple[Annotated[CodeView, From("ssecEQA", model=True)], ...], EMPTY_LIST, Field(alias="ssecEQAs")
    ] = ()


class QualificationView(Reply):
    """A qualification in the provider's list of trainers."""

    description: SomeText = None
    level: Annotated[CodeView, EMPTY_OBJECT] = CodeView()


class TrainerView(Reply):
    """A trainer of the provider's profile (ssg-api 4.8). `id_number` is masked."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    id: SomeText = None
    name: SomeText = None
    email: SomeText = None
    id_number: SomeText = None
    id_type: Annotated[IdTypeView, EMPTY_OBJECT] = IdTypeView()
    roles: Annotated[tuple[Annotated[RoleView, From("role", model=True)], ...], EMPTY_LIST] = ()
    index_number: SomeInt = None
    in_training_provider_profile: Flag = False
    domain_area_of_practice: SomeText = None
    experience: SomeText = None
    linked_in_url: Annotated[SomeText, Field(alias="linkedInURL")] = None
    salutation_id: SomeInt = None
    total_course_run_link_with_trainer: SomeInt = None
    qualifications: Annotated[tuple[QualificationView, ...], EMPTY_LIST] = ()
