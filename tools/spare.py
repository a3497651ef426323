"""Write profiles/spare.json: wheels that are in no set, and that keep a newer package of one's own beside an old TensorFlow (a minute).

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
PLATFORM, FLOOR = "linux-x86_64", "2.17"
PYTHONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12")
# The last of each line of protobuf: what was generated with 3 is loaded up to 3.20, and the libraries of Google ask for that, 4.21 or 4.25.
WANTED = ("protobuf==3.20.3", "protobuf==4.21.12", "protobuf==4.25.8")


def main() -> int:
    """Ask the index, and write."""
    host, wheels = LocalHost(), []
    for python in PYTHONS:
        tags, files = supported_tags(python, PLATFORM, major_minor(FLOOR)), []
        for wanted in WANTED:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    text = uv.resolve(
                        host,
                        requirements=f"{wanted}\n",
                        constraints="",
                        folder=folder,
                        python=python,
                        platform=uv.platform_name(PLATFORM, FLOOR),
                        offline=False,
                        alone=True,
                    )
                except OperationError as error:
                    print(f"{wanted} for Python {python}: {error}")
                    continue
            files += [locked(pick(offered, tags)) for offered in read_pylock(text).values()]
        wheels.append({"python": python, "platform": PLATFORM, "files": [codec.to_data(file) for file in files]})
    data = {"schema": SCHEMA, "made": dt.datetime.now(dt.timezone.utc).date().isoformat(), "wheels": wheels}
    (ROOT / "profiles" / NAME).write_text(json.dumps(data, indent=1) + "\n")
    print(f"{sum(len(item['files']) for item in wheels)} wheels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
