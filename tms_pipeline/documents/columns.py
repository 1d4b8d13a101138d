"""The columns of the record kinds, for whoever fills in sheets."""

from __future__ import annotations

from collections.abc import Sequence

from tms_pipeline.documents.table import row
from tms_pipeline.records.field import Field, FieldType, RecordKind
from tms_pipeline.records.kinds import KINDS

#: Types of cells in the words of people who fill in sheets.
_READ_AS = {
    FieldType.TEXT: "text",
    FieldType.CODE: "a code",
    FieldType.NRIC: "NRIC or FIN",
    FieldType.DATE: "a date",
    FieldType.TIME: "a time, 24-hour clock",
    FieldType.MOMENT: "a date and time",
    FieldType.INTEGER: "a whole number",
    FieldType.AMOUNT: "dollars",
    FieldType.HOURS: "hours",
    FieldType.YES_NO: "Yes or No",
    FieldType.CHOICE: "one word of a list",
    FieldType.EMAIL: "an e-mail address",
    FieldType.PHONE: "a phone number",
    FieldType.POSTAL: "six digits",
    FieldType.UEN: "a UEN",
    FieldType.CODES: "codes, with ; between",
}


def columns_of(kind: RecordKind) -> str:
    """The columns of a record kind as a table for ops."""
    lines = ["| Column | Needed | What it wants | Other headings that work |", "|---|---|---|---|"]
    for field in kind.fields:
        default = _default(field)
        lines.append(
            row(
                f"**{field.title}**",
                "yes" if field.required else f"no; empty means {default}" if default else "no",
                _wants(field),
                ", ".join(field.aliases),
            )
        )
    if kind.guidance:
        lines += ["", kind.guidance]
    return "\n".join(lines)


def record_kinds() -> str:
    """The record kinds in their order, with keys and parents."""
    lines = ["| Order | Record kind | Natural key | Parents | Sent to SSG |", "|--:|---|---|---|---|"]
    for kind in KINDS.values():
        lines.append(
            row(
                str(kind.order),
                kind.title,
                ", ".join(kind.field(name).title for name in kind.key),
                ", ".join(KINDS[parent.kind].title.lower() for parent in kind.parents),
                "yes" if kind.submitted else "no",
            )
        )
    return "\n".join(lines)


def _wants(field: Field) -> str:
    parts = [_READ_AS[field.type]]
    if field.choices:
        parts.append(": " + "; ".join(_choice(word, others) for word, others in field.choices.items()))
    elif field.minimum is not None and field.maximum is not None:
        parts.append(f", {field.minimum:g} to {field.maximum:g}")
    elif field.max_length is not None and field.type in (FieldType.TEXT, FieldType.CODE):
        parts.append(f", up to {field.max_length} characters")
    text = "".join(parts)
    if field.example:
        text += f", such as {field.example}"
    text += "."
    if field.help:
        text += f" {field.help}"
    if field.personal:
        text += " *Sealed.*"
    return text


def _choice(word: str, others: Sequence[str]) -> str:
    """A choice as people type it: SSG's bare codes are shown by their first name."""
    if not others:
        return word
    shown, *more = others if len(word) <= 2 or word.islower() or word.isupper() else (word, *others)
    more = [other for other in more if other.casefold() != shown.casefold()]
    return f"{shown} (or {', '.join(more)})" if more else shown


def _default(field: Field) -> str:
    if not field.default:
        return ""
    if field.type is FieldType.YES_NO:
        return "Yes" if field.default == "true" else "No"
    others = field.choices.get(field.default)
    return _choice(field.default, others).split(" (or ")[0] if others else field.default
