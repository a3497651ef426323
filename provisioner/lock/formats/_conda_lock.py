"""Run in a process of its own: makes conda-lock.yml files with conda-lock's own models, whose import takes longer than everything else.

stdin: a list of {"channels": [{"url": ..., "used_env_vars": [...]}], "platforms": {"linux-64": "<content hash>"}, "sources": [...],
    "custom": {...}, "packages": [fields of LockedDependency]}
stdout: a JSON list of the texts. Status 3 where conda-lock is not installed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

NOT_INSTALLED = 3


def main() -> int:
    """Read the requests, print the texts."""
    requests: list[dict[str, Any]] = json.load(sys.stdin)
    # Python puts a script's folder first; our own conda_lock.py there would be taken for the package.
    sys.path = [path for path in sys.path if os.path.abspath(path) != os.path.dirname(os.path.abspath(__file__))]
    try:
        import yaml  # noqa: PLC0415 - its absence is an answer
        from conda_lock.lockfile.v1.models import Lockfile  # noqa: PLC0415 - as above
        from conda_lock.models.channel import Channel  # noqa: PLC0415 - as above
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_INSTALLED
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    texts = []
    for request in requests:
        metadata = {
            "content_hash": request["platforms"],
            # Not by Channel.from_string, which looks for values of variables in the address.
            "channels": [Channel(**channel) for channel in request["channels"]],
            "platforms": list(request["platforms"]),
            "sources": request["sources"],
        }
        if request["custom"]:
            metadata["custom_metadata"] = request["custom"]
        lock = Lockfile.model_validate({"version": 1, "metadata": metadata, "package": request["packages"]})
        texts.append(yaml.dump(lock.dict_for_output(), Dumper=dumper, sort_keys=False, width=1000))
    json.dump(texts, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
