"""AES-256-CBC with SSG's fixed IV, base64 text (ssg-api 2.3). Written apart from the client's cipher."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

IV = b"SSGAPIInitVector"
BLOCK = 16


class DecryptionError(ValueError):
    """The text is not a ciphertext under this key."""


def decode_key(text: str) -> bytes:
    """The 32 key bytes behind the base64 text that SSG hands around (ssg-api 2.3)."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the encryption key is not base64") from error
    if len(key) != 32:
        raise ValueError(f"the encryption key has {len(key)} bytes, 32 are needed")
    return key


def encrypt(key: bytes, text: str) -> str:
    """Plain text to one line of base64 ciphertext (ssg-api 2.3)."""
    data = text.encode()
    pad = BLOCK - len(data) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(IV)).encryptor()
    return base64.b64encode(encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()).decode(
        "ascii"
    )


def decrypt(key: bytes, token: str) -> str:
    """Base64 ciphertext to plain text, or DecryptionError (ssg-api 2.3)."""
    try:
        data = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DecryptionError("not base64") from error
    if not data or len(data) % BLOCK:
        raise DecryptionError("not a whole number of blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(IV)).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
        raise DecryptionError("bad padding")
    try:
        return plain[:-pad].decode()
    except UnicodeDecodeError as error:
        raise DecryptionError("not UTF-8") from error
