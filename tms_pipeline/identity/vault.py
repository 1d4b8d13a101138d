"""Vaults: what wraps the keys of a ring file, so that the file alone opens nothing.

A vault is anything with ``wrap`` and ``unwrap``. ``CommandVault`` reaches one through a program of the deployer's:
a KMS client, a TPM or smart-card tool.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import Protocol

_SECONDS = 30
_LONGEST = 64 * 1024


class VaultError(Exception):
    """The vault did not answer; the message is one sentence without any key."""


class Vault(Protocol):
    """Wraps and unwraps one key at a time. Raises VaultError when it cannot."""

    def wrap(self, key: bytes) -> bytes:
        """The key as it may lie in a file."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key itself."""
        ...


class CommandVault:
    """A program that is called as ``PROGRAM wrap`` or ``PROGRAM unwrap``: bytes on standard input, bytes back."""

    def __init__(self, command: str) -> None:
        """``command`` is split like a shell would, and run without one."""
        self._command = shlex.split(command)

    def wrap(self, key: bytes) -> bytes:
        """The key as the program wraps it."""
        return self._run("wrap", key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key as the program gives it back."""
        return self._run("unwrap", wrapped)

    def _run(self, verb: str, given: bytes) -> bytes:
        name = self._command[0] if self._command else "TMS_KEY_COMMAND"
        try:
            done = subprocess.run(  # noqa: S603  (the deployer's own program, without a shell)
                [*self._command, verb], input=given, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, IndexError):
            raise VaultError(f"{name} cannot be run; correct TMS_KEY_COMMAND.") from None
        except subprocess.TimeoutExpired:
            raise VaultError(f"{name} gave no answer in {_SECONDS} seconds; see that the vault is up.") from None
        if done.returncode != 0 or not 0 < len(done.stdout) <= _LONGEST:
            raise VaultError(f"{name} could not {verb} a key (exit {done.returncode}); see its own log.")
        return done.stdout
