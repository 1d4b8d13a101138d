"""Who is who in the tests of roles."""

from __future__ import annotations

from tms_pipeline.roles.person import Person

PEOPLE = {"admin": "ada", "ops admin": "olivia", "trainer": "tina", "finance": "finn", "auditor": "audrey"}


def person_of(role: str, code: str | None = None) -> Person:
    return Person(PEOPLE[role], role, "system", code if role == "trainer" else None)
