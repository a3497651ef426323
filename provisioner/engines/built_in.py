"""The index that uv has built in, and for how long what it says holds: so that several runs of uv ask for a page once.

PyPI says so itself in its answers. Proxies take that out, and then each run of uv fetches every page and the metadata of every wheel anew.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable

from provisioner.engines import uv
from provisioner.engines.index import installer_environment
from provisioner.host import Host
from provisioner.model.team import Index

TIMEOUT_SECONDS = 60.0
# PyPI's own words (Cache-Control): its pages hold for ten minutes, and a file of it never changes.
PAGES, FILES = "max-age=600", "max-age=365000000, immutable"
# Variables that name another index.
_OTHER = re.compile(r"UV_(INDEX|INDEX_URL|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|CONFIG_FILE)")


def address(host: Host, indexes: Iterable[Index], *, folder: str) -> str:
    """Return the address of uv's built-in index; "" where a team's ``indexes`` or this person's settings name another for it.

    ``folder`` is one of the tool's own. Only uv itself is asked.
    """
    env = installer_environment(host)
    if any(not index.packages for index in indexes) or any(map(_OTHER.fullmatch, env)):
        return ""
    empty = posixpath.join(folder, "nothing.in")
    host.write(empty, "")
    argv = [uv.find_uv(host), "pip", "compile", empty, "--python", host.python, "--emit-index-url", "--no-header", "--no-config"]
    done = host.run([*argv, "--offline"], env=env, cwd="/", timeout=TIMEOUT_SECONDS)
    found = re.search(r"^--index-url (\S+)$", done.out, re.MULTILINE)
    return found[1] if done.ok and found else ""


def table(address: str) -> list[str]:
    """Return the lines of a pyproject.toml that say to uv for how long the answers of the index hold.

    As an explicit index it is asked for nothing by itself: what is said holds for the address, whoever names it.
    """
    lines = ["[[tool.uv.index]]", 'name = "built-in"', f"url = {json.dumps(address)}", "explicit = true"]
    return [*lines, f"cache-control = {{ api = {json.dumps(PAGES)}, files = {json.dumps(FILES)} }}"]
