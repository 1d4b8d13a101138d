"""SSG's body encryption: AES-256-CBC, PKCS7, the fixed IV, base64 in one line (ssg-api 2.3).

The simulator has its own copy on purpose; the vectors of 2.3 check both.
"""

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

IV = b"SSGAPIInitVector"
KEY_BYTES = 32


class BodyCipher:
    """Encrypts and decrypts bodies with one training partner's key. Thread-safe; `repr` hides the key."""

    def __init__(self, key: str) -> None:
        """key: base64 of 32 bytes. Raises ValueError (without the key in it)."""
        try:
            raw = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise ValueError("the encryption key must be base64 of 32 bytes")
        self._cipher = Cipher(AES(raw), CBC(IV))

    def __repr__(self) -> str:
        return "BodyCipher()"

    def encrypt(self, text: str) -> str:
        """The text as UTF-8, padded, encrypted, base64."""
        padder = PKCS7(AES.block_size).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")

    def decrypt(self, ciphertext: str) -> str:
        """The text again. Raises ValueError when it is no ciphertext of this key; quotes nothing."""
        try:
            raw = base64.b64decode("".join(ciphertext.split()), validate=True)
            decryptor = self._cipher.decryptor()
            padded = decryptor.update(raw) + decryptor.finalize()
            unpadder = PKCS7(AES.block_size).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")
        except (binascii.Error, ValueError, UnicodeError):
            pass
        raise ValueError("not a ciphertext of this key")
