"""Masking and redaction: what people and logs see in place of an identifier."""

from __future__ import annotations

import re

# NRIC/FIN shape: a prefix letter, seven digits, a check letter (ssg-api 9.1), in any case and width.
_WIDE = "\uff21-\uff3a\uff41-\uff5a"
NRIC_SHAPE = re.compile(
    rf"(?<![A-Za-z0-9{_WIDE}])[STFGMstfgm\uff33\uff34\uff26\uff27\uff2d\uff53\uff54\uff46\uff47\uff4d]"
    rf"\d{{7}}[A-Za-z{_WIDE}](?![A-Za-z0-9{_WIDE}])"
)
EMAIL_SHAPE = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
# A full stop after it may end a sentence; one with something behind it is a part of a number or name of ours.
PHONE_SHAPE = re.compile(r"(?<![\d.-])(?:\+?65[ -]?)?[3689]\d{3}[ -]?\d{4}(?![\d-]|\.\w)")


def mask_nric(nric: str) -> str:
    """``S****567D``: the form that PDPC's guidelines use. Never show it beside a birth date."""
    return f"{nric[0]}****{nric[-4:]}"


def redact(text: str) -> str:
    """The text without anything that looks like an NRIC, an e-mail address or a phone number."""
    return PHONE_SHAPE.sub("[phone]", EMAIL_SHAPE.sub("[e-mail]", NRIC_SHAPE.sub("[nric]", text)))
