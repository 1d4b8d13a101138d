"""Sealing: AES-256-GCM with a random nonce, bound to table, column and row, so that a value cannot be moved.

This module can only seal. What opens a sealed value is ``identity.opening``, which few may import.
"""

from __future__ import annotations

import os
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORM = b"\x01"  # form of the envelope: form, 12 bytes nonce, ciphertext with tag
NONCE_BYTES = 12


def place(table: str, column: str, row: str) -> bytes:
    """The associated data of a value: where it stands."""
    return f"{table}|{column}|{row}".encode()


def new_data_key() -> bytes:
    """A fresh 256-bit data key."""
    return secrets.token_bytes(32)


def seal(key: bytes, plain: bytes, where: bytes) -> bytes:
    """The sealed form of the bytes, valid at that place only."""
    nonce = os.urandom(NONCE_BYTES)
    return FORM + nonce + AESGCM(key).encrypt(nonce, plain, where)
