"""Commands for an environment that a project's tool keeps: what is installed past it, it takes back. Pure.

Sources: the command references of uv, Poetry, PDM and pipenv.
"""

from __future__ import annotations

import re

from provisioner.base.names import is_rival, normalise
from provisioner.base.versions import contains, readable
from provisioner.model.keeper import Keeper
from provisioner.remedies.subject import quoted, requirement

_REQUIREMENT = re.compile(r"([\w.-]+)\s*((?:[<>=!~][^;\[]*)?)")
# What puts the environment back to what the lock says.
_SYNC = {"uv": "uv sync --project", "poetry": "poetry install --directory", "pdm": "pdm sync --project"}
_ADD = {"uv": "uv add --project", "poetry": "poetry add --directory", "pdm": "pdm add --project"}
NAMES = {"uv": "`uv sync` and `uv run`", "poetry": "`poetry install`", "pdm": "`pdm sync`", "pipenv": "`pipenv sync`"}


def holds(keeper: Keeper, wanted: str) -> bool:
    """True where the lock has a version of that name that meets ``wanted`` (PEP 508 without marker); False where that cannot be told."""
    found = _REQUIREMENT.fullmatch(wanted)
    if found is None:
        return False
    spec = found[2].strip()
    versions = keeper.locked.get(normalise(found[1]), ())
    return any(not spec or (readable(spec) and contains(spec, version, prereleases=True)) for version in versions)


def own_of(keeper: Keeper | None) -> str:
    """Return the TensorFlow that the project asks for by its lock, else the usual one."""
    names = keeper.locked if keeper is not None else ()
    return next((name for name in names if is_rival(name)), "tensorflow")


def installs(keeper: Keeper, requirements: tuple[str, ...], *, windows: bool) -> str:
    """Return the command that brings them into the environment: from the lock, where that has them, else into the project."""
    folder = quoted(keeper.project, windows=windows)
    synced = all(holds(keeper, item) for item in requirements)
    listed = " ".join(map(requirement, requirements))
    if keeper.program == "pipenv":
        return f"cd {folder} && pipenv {'sync' if synced else f'install {listed}'}"
    return f"{_SYNC[keeper.program]} {folder}" if synced else f"{_ADD[keeper.program]} {folder} {listed}"
