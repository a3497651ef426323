"""Write profiles/spare.json: wheels that are in no set, and that a set gives way to or a machine lacks the content of (a minute).

python tools/spare.py
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

from provisioner.catalogue.spare import NAME, SCHEMA
from provisioner.engines import uv
from provisioner.engines.wheels import major_minor, pick, read_pylock, supported_tags
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model import codec
from provisioner.plan.extras import locked

ROOT = Path(__file__).resolve().parent.parent
# The last of each line of protobuf: what was generated with 3 is loaded up to 3.20, and the libraries of Google ask for that, 4.21 or 4.25.
PROTOBUF = ("protobuf==3.20.3", "protobuf==4.21.12", "protobuf==4.25.8")
# Microsoft's Visual C++ runtime; the newest that was packed for each Python.
RUNTIME = {
    "3.6": "14.29.30133",
    "3.7": "14.29.30133",
    "3.8": "14.34.31931",
    "3.9": "14.42.34433",
    "3.10": "14.42.34433",
    "3.11": "14.44.35112",
    "3.12": "14.51.36231",
    "3.13": "14.51.36231",
    "3.14": "14.51.36231",
}
# Python, platform, oldest system, what is wanted for it.
WANTED = (
    *((python, "linux-x86_64", "2.17", PROTOBUF) for python in ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12")),
    *((python, "windows-x86_64", "0.0", (f"msvc-runtime=={version}",)) for python, version in RUNTIME.items()),
)


def main() -> int:
    """Ask the index, and write."""
    host, wheels = LocalHost(), []
    for python, platform, floor, names in WANTED:
        tags, files = supported_tags(python, platform, major_minor(floor)), []
        for wanted in names:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    text = uv.resolve(
                        host,
                        requirements=f"{wanted}\n",
                        constraints="",
                        folder=folder,
                        python=python,
                        platform=uv.platform_name(platform, floor),
                        offline=False,
                        alone=True,
                    )
                except OperationError as error:
                    print(f"{wanted} for Python {python}: {error}")
                    continue
            files += [locked(pick(offered, tags)) for offered in read_pylock(text).values()]
        wheels.append({"python": python, "platform": platform, "files": [codec.to_data(file) for file in files]})
    data = {"schema": SCHEMA, "made": dt.datetime.now(dt.timezone.utc).date().isoformat(), "wheels": wheels}
    (ROOT / "profiles" / NAME).write_text(json.dumps(data, indent=1) + "\n")
    print(f"{sum(len(item['files']) for item in wheels)} wheels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
