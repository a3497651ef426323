"""What a project's own lists ask for, as a first declaration says it: requirements files, pyproject.toml, Pipfile, setup.cfg, environment.yml.

Requirements files and PEP 621 tables stay where they are, and the declaration names them. What the other tools write in words of their own is
turned into requirements (PEP 508), once; what has no such form is told. Nothing of a project is run.

Sources: Poetry's documentation, "Dependency specification"; pipenv's, "Pipfile"; setuptools', "Configuring setuptools using setup.cfg files";
conda's, "Creating an environment file manually".
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from provisioner.base.text import mask
from provisioner.base.toml_text import parse_toml
from provisioner.declared import setup_files
from provisioner.declared.elsewhere import LINKS, Elsewhere, Indexes
from provisioner.declared.environment_file import EnvironmentFile, read_environment_file
from provisioner.declared.find import PYPROJECT, read_limited
from provisioner.declared.local import is_local, read_local
from provisioner.declared.markers import tensorflow_of
from provisioner.declared.project_table import SETUP
from provisioner.declared.requirement import NotLockableError, parse_any
from provisioner.declared.requirements_file import FAULTS, link_in, read_files, take_index
from provisioner.declared.tables import lines, poetry_project, table, texts
from provisioner.declared.tool_indexes import take_tables
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.record import record
from provisioner.model.team import Target

# Names of requirements files that a project keeps at its top; the first that is there is what its packages come from.
REQUIREMENTS = ("requirements.in", "requirements.txt")
ENVIRONMENTS = ("environment.yml", "environment.yaml")


@record
class Lists:
    """What was found: files that the declaration names, requirements that it repeats, and what could be taken over from none of them.

    ``project`` is true where pyproject.toml has a ``[project]`` table. ``python`` is a specifier ("" for any); ``tensorflow`` are the
    specifiers that the lists put on TensorFlow itself. ``read`` names the files, ``elsewhere`` the indexes that they name. ``environment`` is
    conda's file, whose own packages are still to be divided.
    """

    read: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: bool = False
    requirements: tuple[str, ...] = ()
    python: str = ""
    tensorflow: str = ""
    left_out: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    environment: EnvironmentFile | None = None


@record
class Told:
    """The words of one file."""

    requirements: tuple[str, ...] = ()
    python: str = ""
    left_out: tuple[str, ...] = ()


def read_lists(reader: Reader, folder: str, platform: str = "linux-x86_64") -> Lists:
    """Read the lists in a folder (absolute); one that cannot be read is told under ``left_out``."""
    faults: list[str] = []
    indexes = Indexes()
    environment = _environment(reader, folder, indexes, faults)
    first = next(((name,) for name in REQUIREMENTS if reader.exists(posixpath.join(folder, name))), ())
    files = tuple(dict.fromkeys([*first, *(environment.files if environment else ())]))
    own = [line.requirement for file in read_files(reader, folder, files, indexes, faults) for line in file.lines if not file.constraint]
    told, read, project = [Told(left_out=tuple(faults))], list(files), False
    for name, parser in _PARSERS.items():
        path = posixpath.join(folder, name)
        # Where there is a [project] table, setuptools' own files are read with it, as far as it leaves things to them.
        if not reader.exists(path) or (project and name in SETUP):
            continue
        try:
            text = read_limited(reader, path)
            found = parser(text, name)
            if name not in SETUP:
                data = parse_toml(text, file=path, name=name)
                take_tables(data, name, indexes)
                project = project or (name == PYPROJECT and "project" in data)
        except InputError as error:
            found = Told(left_out=error.faults or (f"{name}: {error.message}",))
        if found != Told() or (name == PYPROJECT and project):
            read.append(name)
            told.append(found)
    if environment is not None:
        read.append(environment.name)
        told.append(_of_environment(environment))
    said = tuple(dict.fromkeys(text for item in told for text in item.requirements))
    others = (
        [parse_any(text) for text in said if not (link_in(text) or is_local(text.removeprefix("-e ").strip()))] if indexes.found else []
    )
    return Lists(
        read=tuple(read),
        files=files,
        project=project,
        requirements=said,
        python=",".join(dict.fromkeys(item.python for item in told if item.python)),
        tensorflow=",".join(_of_tensorflow([*(item.text for item in own), *said], platform)),
        left_out=tuple(dict.fromkeys(text for item in told for text in item.left_out)),
        elsewhere=indexes.unnamed([*own, *others]),
        environment=environment,
    )


def _environment(reader: Reader, folder: str, indexes: Indexes, faults: list[str]) -> EnvironmentFile | None:
    """Read conda's environment file, where there is one that says something; what pip is told of indexes goes to ``indexes``."""
    name = next((name for name in ENVIRONMENTS if reader.exists(posixpath.join(folder, name))), "")
    if not name:
        return None
    try:
        found = read_environment_file(read_limited(reader, posixpath.join(folder, name)), name)
    except InputError as error:
        faults += [f"{name}: {fault}" for fault in error.faults or (error.message,)]
        return None
    for line in found.options:
        if not link_in(line) and not take_index(line, name, indexes):
            faults.append(f"{name}: `{mask(line)}` is an option that a lock does not take over")
    return found if found != EnvironmentFile(name=name) else None


def _of_tensorflow(requirements: Sequence[str], platform: str) -> tuple[str, ...]:
    """Return the specifiers on TensorFlow that hold on a platform with some Python or other."""
    targets = (Target(name="", platform=platform, device="cpu", python=f"3.{minor}") for minor in range(6, 20))
    return tuple(dict.fromkeys(spec for target in targets for spec in tensorflow_of(requirements, target)))


def parse_pyproject(text: str, name: str) -> Told:
    """Read Poetry's table, and the Pythons that ``[project]`` allows; its dependencies are the declaration's to name (``project:``)."""
    data = parse_toml(text, file=name, name=name)
    project = table(data, "project")
    told = _of_project(poetry_project(data), name)
    python = project.get("requires-python")
    return replace(told, python=python) if isinstance(python, str) and python else told


def _of_project(project: Mapping[str, Any], name: str) -> Told:
    """Read what stands for a ``[project]`` table, whichever tool's it is."""
    python = project.get("requires-python", "")
    told = _told(texts(project.get("dependencies")), name, python if isinstance(python, str) else "")
    dynamic = texts(project.get("dynamic"))
    why = f"{name}: computes what it depends on, and is not run: say it in `[project]`, or under `requirements`"
    return replace(told, left_out=(*told.left_out, why)) if "dependencies" in dynamic else told


def parse_pipfile(text: str, name: str) -> Told:
    """Read ``[packages]`` and ``[requires]`` of a Pipfile."""
    data = parse_toml(text, file=name, name=name)
    python = table(data, "requires").get("python_version")
    return _told(lines(table(data, "packages"), caret=False), name, f"=={python}.*" if isinstance(python, str) else "")


def parse_setup_cfg(text: str, name: str) -> Told:
    """Read what ``setup.cfg`` says of dependencies and Pythons."""
    return _of_project(setup_files.parse_setup_cfg(text, name), name)


def parse_setup_py(text: str, name: str) -> Told:
    """Read what the call of ``setup()`` says in words of its own; nothing is run."""
    return _of_project(setup_files.parse_setup_py(text, name), name)


def _of_environment(found: EnvironmentFile) -> Told:
    """Read what of conda's environment file is said of any kind of environment: TensorFlow, the Python, and what pip installs."""
    links = [f"{LINKS} {link}" for link in map(link_in, found.options) if link]
    told = _told([*links, *found.tensorflow, *found.pip], found.name, found.python)
    return replace(told, left_out=(*told.left_out, *found.left_out))


_PARSERS = {
    PYPROJECT: parse_pyproject,
    "Pipfile": parse_pipfile,
    "setup.cfg": parse_setup_cfg,
    "setup.py": parse_setup_py,
}


def _told(texts: Any, file: str, python: str = "") -> Told:
    """Keep what is a requirement, and tell what is none."""
    found: list[str] = []
    left_out: list[str] = []
    for text in texts:
        if text and len(left_out) < FAULTS:
            try:
                bare = text.removeprefix("-e ").strip()
                found.append(
                    text if link_in(bare) or (is_local(bare) and read_local(bare, file, "", editable=False)) else parse_any(bare).text
                )
            except NotLockableError as error:
                left_out.append(f"{file}: `{mask(text)}` {mask(str(error))}")
    return Told(requirements=tuple(found), python=python, left_out=tuple(left_out))
