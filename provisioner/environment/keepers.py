"""Which project's tool keeps an environment, and what its lock says: it puts back what is changed past it.

Sources: uv documentation, "Locking and syncing" (`.venv` beside uv.lock; `uv run` syncs, too); Poetry's, "Managing environments", and the names
that it gives environments (``EnvManager.generate_env_name``); PDM's, "Working with virtual environments"; pipenv's ``.project`` file.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Iterator

from provisioner.base.names import normalise
from provisioner.base.paths import is_absolute, is_on_drive, slashed, spelt
from provisioner.host import Reader, files
from provisioner.model.json_text import read_json
from provisioner.model.keeper import Keeper, KeepingTool

# Locks of projects with a thousand packages take a few megabytes.
LIMIT = 1 << 25
IN_PROJECT = ".venv"
_LOCKS: tuple[tuple[str, KeepingTool], ...] = (
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("pdm.lock", "pdm"),
    ("Pipfile.lock", "pipenv"),
)
# uv, Poetry and PDM write each package so; parsing the whole file as TOML would take seconds.
_PACKAGE = re.compile(r'(?m)^\[\[package\]\]\r?\nname = "([^"\n]{1,200})"(?:\r?\nversion = "([^"\n]{1,100})")?')


def keeper_of(reader: Reader, env: str) -> Keeper | None:
    """Return who keeps the environment at ``env`` (absolute, real); None for one of no project, or of a project without a lock."""
    for folder in _projects(reader, env):
        for name, program in _LOCKS:
            path = posixpath.join(folder, name)
            if files.there(reader, path):
                text = files.read(reader, path, LIMIT).text or ""
                return Keeper(
                    program=program, project=folder, lock=path, locked=parse_pipfile(text) if program == "pipenv" else parse(text)
                )
    return None


def _projects(reader: Reader, env: str) -> Iterator[str]:
    """The folder of the project that the environment is of, where its name or a file of it tells."""
    if posixpath.basename(env) == IN_PROJECT:
        yield posixpath.dirname(env)
    told = slashed(files.line(reader, posixpath.join(env, ".project")))
    if is_absolute(told):
        yield told
    if "/pypoetry/" in env:
        here = reader.cwd
        while True:
            if f"-{_mark(files.real(reader, here))}-py" in posixpath.basename(env):
                yield here
            if here == posixpath.dirname(here):
                return
            here = posixpath.dirname(here)


def _mark(folder: str) -> str:
    """What Poetry writes of a project's folder into the name of its environment; on Windows of the folder as ``os.path.normcase`` has it."""
    folder = spelt(folder).lower() if is_on_drive(folder) else folder
    return base64.urlsafe_b64encode(hashlib.sha256(folder.encode("utf-8", "surrogateescape")).digest()).decode()[:8]


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Return the versions in ``uv.lock``, ``poetry.lock`` or ``pdm.lock``; what is none of them has none. Pure."""
    found: dict[str, list[str]] = {}
    for name, version in _PACKAGE.findall(text):
        found.setdefault(normalise(name), []).extend([version] if version else [])
    return {name: tuple(versions) for name, versions in found.items()}


def parse_pipfile(text: str) -> dict[str, tuple[str, ...]]:
    """Return the versions in ``Pipfile.lock`` (pipenv documentation, "Pipfile.lock"); what is none has none. Pure."""
    try:
        data = read_json(text)
    except ValueError:
        return {}
    groups = [data.get(name) for name in ("default", "develop")] if isinstance(data, dict) else []
    packages = {name: told for group in groups if isinstance(group, dict) for name, told in group.items() if isinstance(told, dict)}
    return {normalise(name): (str(told.get("version", "")).removeprefix("=="),) for name, told in packages.items()}
