"""Opening sealed values: the one way out, and only for a purpose of this list.

Two things hold it: an import contract (pyproject.toml) says who may import this module at all, and at run time a value
opens only inside ``opening_for`` with a purpose. Unwrapping a data key opens nobody's value and needs none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tms_pipeline.identity.sealing import FORM, NONCE_BYTES

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
_purpose: ContextVar[str | None] = ContextVar("tms_opening_for", default=None)
_KEY_PLACE = b"identity.data_key|"


class CannotOpen(Exception):
    """A sealed value is not what was sealed at that place, or its key is another."""


class NoPurpose(RuntimeError):
    """Somebody tried to open a value outside of ``opening_for``, or for a purpose that is not in the list."""


@contextlib.contextmanager
def opening_for(purpose: str) -> Iterator[None]:
    """Let sealed values be opened in this block, on this thread. Also a decorator. Raises NoPurpose if unknown."""
    if purpose not in PURPOSES:
        raise NoPurpose(f"'{purpose}' is no purpose to open sealed values for; see identity.opening.PURPOSES")
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


def open_sealed(key: bytes, sealed: bytes, where: bytes) -> bytes:
    """The plain bytes. Raises CannotOpen when the value was changed, moved, or sealed with another key.

    Raises NoPurpose outside of ``opening_for``.
    """
    if _purpose.get() is None and not where.startswith(_KEY_PLACE):
        raise NoPurpose("a sealed value is opened inside 'with opening_for(PURPOSE)' only; see identity.opening")
    if sealed[:1] != FORM:
        raise CannotOpen("a sealed value has an unknown form")
    nonce = sealed[1 : 1 + NONCE_BYTES]
    try:
        return AESGCM(key).decrypt(nonce, sealed[1 + NONCE_BYTES :], where)
    except InvalidTag:
        raise CannotOpen("a sealed value does not open at its place") from None
