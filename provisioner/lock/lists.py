"""What a project's own lists ask for, as a first declaration says it: requirements files, pyproject.toml, Pipfile, setup.cfg, environment.yml.

Requirements files and PEP 621 tables stay where they are, and the declaration names them. What the other tools write in words of their own is
turned into requirements (PEP 508), once; what has no such form (addresses, conda's own packages) is told. Nothing of a project is run.

Sources: Poetry's documentation, "Dependency specification"; pipenv's, "Pipfile"; setuptools', "Configuring setuptools using setup.cfg files";
conda's, "Creating an environment file manually".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from provisioner.base.names import is_rival, normalise
from provisioner.base.text import mask
from provisioner.base.toml_text import parse_toml
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.lock import setup_files
from provisioner.lock.elsewhere import Elsewhere, Indexes
from provisioner.lock.find import PYPROJECT, read_limited
from provisioner.lock.local import is_local, read_local
from provisioner.lock.markers import tensorflow_of
from provisioner.lock.project_table import SETUP
from provisioner.lock.requirement import NotLockableError, parse_any
from provisioner.lock.requirements_file import FAULTS, read_files
from provisioner.lock.tables import lines, poetry_project, table, texts
from provisioner.model.record import record
from provisioner.model.team import Target

# Names of requirements files that a project keeps at its top; the first that is there is what its packages come from.
REQUIREMENTS = ("requirements.in", "requirements.txt")
ENVIRONMENTS = ("environment.yml", "environment.yaml")
_CONDA_SPEC = re.compile(r"([A-Za-z0-9._-]+)\s*(?:(==?|[<>!~]=?)\s*([^=\s]+)(?:=\S+)?)?")


@record
class Lists:
    """What was found: files that the declaration names, requirements that it repeats, and what could be taken over from none of them.

    ``project`` is true where pyproject.toml has a ``[project]`` table. ``python`` is a specifier ("" for any); ``tensorflow`` are the
    specifiers that the lists put on TensorFlow itself. ``read`` names the files, ``elsewhere`` the indexes that they name.
    """

    read: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: bool = False
    requirements: tuple[str, ...] = ()
    python: str = ""
    tensorflow: str = ""
    left_out: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()


@record
class Told:
    """The words of one file."""

    requirements: tuple[str, ...] = ()
    python: str = ""
    left_out: tuple[str, ...] = ()


def read_lists(reader: Reader, folder: str, platform: str = "linux-x86_64") -> Lists:
    """Read the lists in a folder (absolute); one that cannot be read is told under ``left_out``."""
    files = next(((name,) for name in REQUIREMENTS if reader.exists(posixpath.join(folder, name))), ())
    faults: list[str] = []
    indexes = Indexes()
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
            project = project or (name == PYPROJECT and "project" in parse_toml(text, file=path, name=name))
        except InputError as error:
            found = Told(left_out=error.faults or (f"{name}: {error.message}",))
        if found != Told() or (name == PYPROJECT and project):
            read.append(name)
            told.append(found)
    said = tuple(dict.fromkeys(text for item in told for text in item.requirements))
    others = [parse_any(text) for text in said if not is_local(text.removeprefix("-e ").strip())] if indexes.found else []
    return Lists(
        read=tuple(read),
        files=files,
        project=project,
        requirements=said,
        python=",".join(dict.fromkeys(item.python for item in told if item.python)),
        tensorflow=",".join(_of_tensorflow([*(item.text for item in own), *said], platform)),
        left_out=tuple(dict.fromkeys(text for item in told for text in item.left_out)),
        elsewhere=indexes.unnamed([*own, *others]),
    )


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


def parse_environment(text: str, name: str) -> Told:
    """Read conda's environment file: what pip installs, the Python, and of conda's own packages TensorFlow; the others are told."""
    data = parse_yaml(text, file=name)
    entries = data.get("dependencies") if isinstance(data, dict) else None
    entries = entries if isinstance(entries, list) else []
    pip = [text for entry in entries if isinstance(entry, dict) for text in entry.get("pip") or () if isinstance(text, str)]
    conda = [found for entry in entries if isinstance(entry, str) and (found := _CONDA_SPEC.match(entry.rpartition("::")[2].strip()))]
    python, others, rivals = "", [], []
    for found in conda:
        package, operator, version = normalise(found[1]), found[2] or "", found[3] or ""
        spec = f"=={version}.*" if operator == "=" and not version.endswith("*") else f"{'==' if operator == '=' else operator}{version}"
        if package == "python":
            python = spec
        elif is_rival(package):
            rivals.append(f"{package}{spec}")
        elif package != "pip":
            others.append(package)
    told = _told([*rivals, *pip], name, python)
    words = f"{name}: conda's own packages are not taken over ({', '.join(others)}): name those that you import under `requirements`"
    return Told(requirements=told.requirements, python=told.python, left_out=(*told.left_out, *((words,) if others else ())))


_PARSERS = {
    PYPROJECT: parse_pyproject,
    "Pipfile": parse_pipfile,
    "setup.cfg": parse_setup_cfg,
    "setup.py": parse_setup_py,
    **dict.fromkeys(ENVIRONMENTS, parse_environment),
}


def _told(texts: Any, file: str, python: str = "") -> Told:
    """Keep what is a requirement, and tell what is none."""
    found: list[str] = []
    left_out: list[str] = []
    for text in texts:
        if text and len(left_out) < FAULTS:
            try:
                bare = text.removeprefix("-e ").strip()
                found.append(text if is_local(bare) and read_local(bare, file, "", editable=False) else parse_any(bare).text)
            except NotLockableError as error:
                left_out.append(f"{file}: `{mask(text)}` {mask(str(error))}")
    return Told(requirements=tuple(found), python=python, left_out=tuple(left_out))
