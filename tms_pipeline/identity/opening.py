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

from tms_pipeline.identity.purposes import PURPOSES
from tms_pipeline.identity.sealing import FORM, NONCE_BYTES

_purpose: ContextVar[str | None] = ContextVar("tms_opening_for", default=None)
_KEY_PLACE = b"identity.data_key|"


class CannotOpen(Exception):
    """A sealed value is not what was sealed at that place, or its key is another."""


class NoPurpose(RuntimeError):
    """Somebody tried to open a value outside of ``opening_for``, or for a purpose that is not in identity.purposes."""


@contextlib.contextmanager
def opening_for(purpose: str) -> Iterator[None]:
    """Let sealed values be opened in this block, on this thread. Also a decorator. Raises NoPurpose if unknown."""
    if purpose not in PURPOSES:
        raise NoPurpose(f"'{purpose}' is no purpose to open sealed values for; see identity.purposes")
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
