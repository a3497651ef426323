"""What a shell's variables are when an environment is active. Pure; the same as what its own ``activate`` sets.

Sources: ``venv``'s ``activate`` (VIRTUAL_ENV, PATH, PYTHONHOME unset); conda's activate (CONDA_PREFIX, CONDA_DEFAULT_ENV, PATH).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from provisioner.environment.layout import Layout

_OF_ANOTHER = ("VIRTUAL_ENV", "CONDA_PREFIX")


def activated(variables: Mapping[str, str], root: str, *, conda: bool, shape: Layout) -> dict[str, str]:
    """Return ``variables`` with the environment at ``root`` (absolute) active, and with no other one before it on PATH."""
    found = dict(variables)
    others = {
        folder for name in _OF_ANOTHER if found.get(name) for folder in _programs(found[name], conda=name == "CONDA_PREFIX", shape=shape)
    }
    own = _programs(root, conda=conda, shape=shape)
    path = [folder for folder in found.get("PATH", "").split(shape.separator) if folder and folder not in {*others, *own}]
    for name in (*_OF_ANOTHER, "CONDA_DEFAULT_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"):
        found.pop(name, None)
    found["PATH"] = shape.separator.join([*own, *path])
    if conda:
        found |= {"CONDA_PREFIX": root, "CONDA_DEFAULT_ENV": root}
    else:
        found |= {"VIRTUAL_ENV": root, "VIRTUAL_ENV_PROMPT": posixpath.basename(root)}
    return found


def _programs(root: str, *, conda: bool, shape: Layout) -> list[str]:
    """The folders of programs of an environment, as they stand on PATH."""
    return [posixpath.join(root, folder) if folder else root for folder in (shape.conda_path if conda else (shape.scripts,))]
