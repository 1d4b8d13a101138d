"""The purposes for which a sealed value may be opened; nothing else opens one. Pure."""

from __future__ import annotations

# Every reason for which a value may be opened, and who has it.
PURPOSES = {
    "submission": "one call to SSG, which needs the values in clear (submission.record)",
    "own rows": "ops' own rows back to them, and a second look at rows that wait (intake.landing, intake.archive)",
    "subject access": "what is kept about one person, for that person (rights)",
    "reveal": "one value on one screen, with a reason, in the audit log before it is shown (roles.reveal)",
    "leak scan": "what to search for, in memory only (leaks.people)",
    "shredding": "to find every place that names a person, before the data key goes (rights.traces)",
    "new marks": "marks made with another index key, in memory only (identity.remarking)",
    "trial": "that a key opens what it sealed; the value is thrown away (drills, tests)",
}
