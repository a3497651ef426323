"""What conda has put into an environment, in the form in which it is asked of a channel, for plans."""

from __future__ import annotations

import posixpath
from typing import Any

from provisioner.environment.conda_records import distribution_owners, read_records
from provisioner.host import Reader
from provisioner.model.conda_package import CondaPackage, Noarch, Present
from provisioner.model.json_text import read_json

LIMIT = 1 << 26
_NOARCH: dict[str, Noarch] = {"python": "python", "generic": "generic"}


def read_present(reader: Reader, root: str) -> Present:
    """Return the packages of the environment at ``root``, and who holds which Python distribution. Records that cannot be read are left out."""
    records = [item for item in read_records(reader, root) if not item.problem]
    packages = []
    for item in records:
        data = _data(reader, posixpath.join(root, item.meta))
        filename = item.url.rsplit("/", 1)[-1] or f"{item.name}-{item.version}-{item.build}.conda"
        packages.append(
            CondaPackage(
                name=item.name,
                version=item.version,
                build=item.build,
                build_number=_number(data.get("build_number")),
                subdir=item.subdir,
                filename=filename,
                url=item.url,
                channel=item.channel,
                sha256=item.sha256,
                md5=item.md5,
                size=item.size,
                depends=item.depends,
                constrains=item.constrains,
                noarch=_NOARCH.get(item.noarch, ""),
                timestamp=_number(data.get("timestamp")),
            )
        )
    return Present(packages=tuple(packages), owners=distribution_owners(records))


def _data(reader: Reader, path: str) -> dict[str, Any]:
    try:
        data = read_json(reader.read_text(path, limit=LIMIT))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
