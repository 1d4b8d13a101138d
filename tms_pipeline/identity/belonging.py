"""Whether key rings belong to this database: no new ones for one that is in use, and no foreign ring chains its log."""

from __future__ import annotations

import hmac

from tms_pipeline.identity.keyring import KeyRing, KeyringError
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Database
from tms_pipeline.store.queries import query


def fingerprint(key: bytes) -> bytes:
    """What is kept of a key in the database, to know it again by."""
    return hmac.digest(key, b"tms key check", "sha256")[:16]


def refuse_new_rings(settings: Settings, db: Database) -> None:
    """Never make rings where the folder of a database that is in use was lost. Raises KeyringError."""
    folder = settings.home / "keys"
    if settings.key_source != "files" or folder.exists():
        return
    if db.value("SELECT to_regclass('audit.entry')") and db.value("SELECT EXISTS (SELECT FROM audit.entry)"):
        raise KeyringError(
            f"The folder {folder} is missing, and this database is in use; bring the rings of this installation back "
            "from their copy."
        )


def refuse_foreign_audit_ring(audit: KeyRing, db: Database) -> None:
    """An entry that another installation's ring chained would look forged for ever. Raises KeyringError."""
    if not db.value("SELECT to_regclass('operations.key_check')"):
        return
    for version, mark in db.rows(query("health/key_marks"), {"ring": audit.name}):
        if version in audit.keys and not hmac.compare_digest(bytes(mark), fingerprint(audit.keys[version])):
            raise KeyringError(
                "The key ring 'audit' is not the one that this database was made with, so nothing is done that the "
                "audit log would have to note; bring it back from its copy. 'tms down' stops all work without it."
            )
