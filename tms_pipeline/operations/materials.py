"""The bill of materials (SBOM) of a lock, in CycloneDX's form, the same bytes for the same lock.

Source of the form: CycloneDX 1.6 JSON, https://cyclonedx.org/docs/1.6/json/. No time and no random number stands in
it, so that two builds of one commit can be compared.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

from tms_pipeline import __version__

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str) -> str:
    """The bill of materials of a lock's text, as JSON. Raises ValueError for a pin without a hash."""
    components: list[dict[str, Any]] = []
    for line in lock.splitlines():
        pin = _PIN.match(line)
        if pin is not None:
            name, version, marker = re.sub(r"[-_.]+", "-", pin[1]).lower(), pin[2], pin[3]
            components.append({
                "type": "library", "bom-ref": f"pkg:pypi/{name}@{version}", "name": name, "version": version,
                "purl": f"pkg:pypi/{name}@{version}", "hashes": [],
                **({"properties": [{"name": "marker", "value": marker}]} if marker else {}),
            })  # fmt: skip
        elif components:
            components[-1]["hashes"] += [{"alg": "SHA-256", "content": found} for found in _HASH.findall(line)]
    bare = [item["name"] for item in components if not item["hashes"]]
    if bare:
        raise ValueError(f"The lock pins {bare[0]} without a hash; make it again with 'make lock'.")
    for item in components:
        item["hashes"].sort(key=lambda found: found["content"])
    components.sort(key=lambda item: item["bom-ref"])
    body = json.dumps(components, sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, body)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": "tms-pipeline", "name": "tms-pipeline", "version": __version__
            }
        },
        "components": components,
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[2]).write_text(bill(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{sys.argv[2]}\n")
