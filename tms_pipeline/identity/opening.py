"""Opening sealed values. Who imports this module is held by an import contract: see pyproject.toml."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tms_pipeline.identity.sealing import FORM, NONCE_BYTES


class CannotOpen(Exception):
    """A sealed value is not what was sealed at that place, or its key is another."""


def open_sealed(key: bytes, sealed: bytes, where: bytes) -> bytes:
    """The plain bytes. Raises CannotOpen when the value was changed, moved, or sealed with another key."""
    if sealed[:1] != FORM:
        raise CannotOpen("a sealed value has an unknown form")
    nonce = sealed[1 : 1 + NONCE_BYTES]
    try:
        return AESGCM(key).decrypt(nonce, sealed[1 + NONCE_BYTES :], where)
    except InvalidTag:
        raise CannotOpen("a sealed value does not open at its place") from None
