"""Key export: the wrapped data keys beside a backup of the database, and how a restored database gets them back.

A dump is as old as it is; the data keys must be as of now. So a backup leaves ``identity.data_key`` out, or its content
is replaced after it was restored: whoever was shredded since stays shredded, and data keys that were wrapped again are
there in their present form.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tms_pipeline.identity.keyring import KeyringError, KeyRings
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query

_FORM = "tms key export 1"


@dataclass(frozen=True)
class Rejoined:
    """What came back: data keys, and the subjects whose keys were shredded after the dump was made."""

    keys: int
    shredded: list[str]


def standing_export(home: Path) -> Path:
    """The export that each rotation and each shredding writes anew; a backup takes it along."""
    return home / "keys" / "data-keys.export"


def export(connection: Connection, rings: KeyRings, path: Path) -> int:
    """Write the wrapped data keys as of now into the file, whole or not at all; returns how many."""
    rows = connection.execute(
        "SELECT subject, wrapped, ring_version, created_at, shredded_at FROM identity.data_key ORDER BY subject"
    ).fetchall()
    lines = [
        json.dumps([s, base64.b64encode(w).decode() if w else None, v, c.isoformat(), d.isoformat() if d else None])
        for s, w, v, c, d in rows
    ]
    body = "\n".join([_FORM, *lines])
    signature = f"{rings.audit.active}:{_sign(rings, rings.audit.active, body)}"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=".")  # new, ours alone, of a name that nobody guesses
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{body}\n{signature}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return len(rows)


def rejoin(connection: Connection, rings: KeyRings, path: Path) -> Rejoined:
    """Give a restored database the data keys of the export. What was shredded on either side stays shredded.

    Raises KeyringError when the file was changed or is no key export.
    """
    body, _, signature = path.read_text(encoding="utf-8").rstrip("\n").rpartition("\n")
    version, _, mac = signature.partition(":")
    if not body.startswith(_FORM) or not version.isdigit() or not hmac.compare_digest(
        mac, _sign(rings, int(version), body)
    ):
        raise KeyringError(f"{path} is no key export of this installation, or it was changed; take another one.")
    rows = [json.loads(line) for line in body.split("\n")[1:]]
    connection.execute(
        "CREATE TEMP TABLE rejoined (subject text PRIMARY KEY, wrapped bytea, ring_version integer, "
        "created_at timestamptz, shredded_at timestamptz) ON COMMIT DROP"
    )
    copy_rows(
        connection,
        "rejoined",
        ("subject", "wrapped", "ring_version", "created_at", "shredded_at"),
        ((s, base64.b64decode(w) if w else None, v, c, d) for s, w, v, c, d in rows),
    )
    connection.execute(query("identity/rejoin"))
    gone = [row[0] for row in connection.execute(query("identity/shredded")).fetchall()]
    return Rejoined(len(rows), gone)


def _sign(rings: KeyRings, version: int, body: str) -> str:
    return hmac.digest(rings.audit.at(version), b"key export|" + body.encode(), "sha256").hex()
