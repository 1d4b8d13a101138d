"""Typed replies from answers. What cannot be read raises; the transport turns it into a classified error."""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from tms_pipeline.ssg.envelope import Answer, whole_number
from tms_pipeline.ssg.errors import failure
from tms_pipeline.ssg.party import Page, TrainingPartner, WriteReply
from tms_pipeline.ssg.transport import Transport
from tms_pipeline.ssg.wire import Reply, Request

Model = TypeVar("Model", bound=Reply)


class Group:
    """The calls of one kind of record, over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def _partner(self) -> TrainingPartner:
        config = self._transport.config
        return TrainingPartner(uen=config.uen, code=config.training_partner_code)

    def _with_partner(self, body: Request) -> dict[str, Any]:
        """The body, with the caller as training partner unless it names one."""
        wire = body.to_wire()
        return wire if "trainingPartner" in wire else {"trainingPartner": self._partner.to_wire(), **wire}


class OpenReply(Reply):
    """A reply whose members no source describes: `data` as SSG sent it. `repr` shows nothing of it."""

    shown: ClassVar[tuple[str, ...]] = ()
    data: Any = None


def open_reply(answer: Answer) -> OpenReply:
    """`data`, whatever it holds."""
    return OpenReply(data=answer.data)


def write_reply(answer: Answer, kind: str, known: str = "") -> WriteReply:
    """The reference that SSG answered to a write of `kind`, or the `known` one of a change.

    A create without a reference raises SSG-REPLY-NO-REFERENCE (unknown): success needs a reference number.
    """
    record = answer.member(kind)
    values: dict[str, Any] = record if isinstance(record, dict) else {}
    reference = str(values.get("referenceNumber") or "").strip() or known
    if not reference:
        raise failure("SSG-REPLY-NO-REFERENCE")
    return WriteReply.model_validate(
        {
            "reference": reference,
            "status": values.get("status"),
            "createdOn": answer.meta.get("createdOn"),
            "updatedOn": answer.meta.get("updatedOn"),
        }
    )


def with_times(record: Any, meta: Any) -> dict[str, Any]:
    """A record with the times of its own `meta`, or else of `meta`. Raises TypeError when it is no object."""
    if not isinstance(record, dict):
        raise TypeError("a record must be an object")
    own = record.get("meta")
    times = own if isinstance(own, dict) else meta if isinstance(meta, dict) else {}
    return {**record, "createdOn": times.get("createdOn"), "updatedOn": times.get("updatedOn")}


def rows(
    answer: Answer, model: type[Model], records: Iterable[Any], page: int, page_size: int
) -> Page[Model]:
    """One page of typed rows. Without a total in `meta` the page's own rows count. Raises on any bad row."""
    items = tuple(model.model_validate(record) for record in records)
    return Page(items, total_of(answer, len(items)), page, page_size)


def total_of(answer: Answer, otherwise: int) -> int:
    """`meta.total` or `meta.totalRecords` (ssg-api 3.1)."""
    for name in ("totalRecords", "total"):
        number = whole_number(answer.meta.get(name))
        if number is not None:
            return number
    return otherwise


def listed(value: Any) -> list[Any]:
    """A list, empty for null, "" and {}. Raises TypeError for anything else."""
    if isinstance(value, list):
        return value
    if value in (None, "", {}):
        return []
    raise TypeError("a list was expected")
