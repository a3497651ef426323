"""What a project's own lists ask for, as a first declaration says it: requirements files, pyproject.toml, Pipfile, setup.cfg, environment.yml.

Requirements files and PEP 621 tables stay where they are, and the declaration names them. What the other tools write in words of their own is
turned into requirements (PEP 508), once; what has no such form (addresses, conda's own packages) is told. Nothing of a project is run.

Sources: Poetry's documentation, "Dependency specification"; pipenv's, "Pipfile"; setuptools', "Configuring setuptools using setup.cfg files";
conda's, "Creating an environment file manually".
"""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from provisioner.base.names import is_rival, normalise
from provisioner.base.text import mask
from provisioner.base.toml_text import parse_toml
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.lock.find import PYPROJECT, read_limited
from provisioner.lock.markers import tensorflow_of
from provisioner.lock.requirement import NotLockableError, parse
from provisioner.lock.requirements_file import FAULTS, read_files
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
    specifiers that the lists put on TensorFlow itself. ``read`` names the files.
    """

    read: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: bool = False
    requirements: tuple[str, ...] = ()
    python: str = ""
    tensorflow: str = ""
    left_out: tuple[str, ...] = ()


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
    own = [line.requirement.text for file in read_files(reader, folder, files, (), faults) for line in file.lines if not file.constraint]
    told, read, project = [Told(left_out=tuple(faults))], list(files), False
    for name, parser in _PARSERS.items():
        path = posixpath.join(folder, name)
        if not reader.exists(path):
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
    said = [text for item in told for text in item.requirements]
    return Lists(
        read=tuple(read),
        files=files,
        project=project,
        requirements=tuple(dict.fromkeys(said)),
        python=",".join(dict.fromkeys(item.python for item in told if item.python)),
        tensorflow=",".join(_of_tensorflow([*own, *said], platform)),
        left_out=tuple(dict.fromkeys(text for item in told for text in item.left_out)),
    )


def _of_tensorflow(requirements: Sequence[str], platform: str) -> tuple[str, ...]:
    """Return the specifiers on TensorFlow that hold on a platform with some Python or other."""
    targets = (Target(name="", platform=platform, device="cpu", python=f"3.{minor}") for minor in range(6, 20))
    return tuple(dict.fromkeys(spec for target in targets for spec in tensorflow_of(requirements, target)))


def parse_pyproject(text: str, name: str) -> Told:
    """Read Poetry's table, and the Pythons that ``[project]`` allows; its dependencies are the declaration's to name (``project:``)."""
    data = parse_toml(text, file=name, name=name)
    project = _table(data, "project")
    poetry = _table(_table(data, "tool"), "poetry")
    told = _named(_table(poetry, "dependencies"), name, caret=True)
    python = project.get("requires-python")
    return Told(
        requirements=told.requirements,
        python=python if isinstance(python, str) and python else told.python,
        left_out=told.left_out,
    )


def parse_pipfile(text: str, name: str) -> Told:
    """Read ``[packages]`` and ``[requires]`` of a Pipfile."""
    data = parse_toml(text, file=name, name=name)
    told = _named(_table(data, "packages"), name, caret=False)
    python = _table(data, "requires").get("python_version")
    return Told(requirements=told.requirements, python=f"=={python}.*" if isinstance(python, str) else "", left_out=told.left_out)


def parse_setup_cfg(text: str, name: str) -> Told:
    """Read ``install_requires`` and ``python_requires`` of ``[options]``."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise InputError(f"is no configuration file: {type(error).__name__}", place=name) from None
    lines = parser.get("options", "install_requires", fallback="").splitlines()
    return _told((line.split(" #")[0].strip() for line in lines), name, parser.get("options", "python_requires", fallback="").strip())


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
    **dict.fromkeys(ENVIRONMENTS, parse_environment),
}


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _named(table: Mapping[str, Any], file: str, *, caret: bool) -> Told:
    """Turn a table of names and versions (Poetry, pipenv) into requirements; ``caret``: ``^`` and ``~`` are Poetry's."""
    python = ""
    texts, left_out = [], []
    for name, said in table.items():
        value = said if isinstance(said, dict) else {"version": said}
        version = value.get("version", "*")
        if not isinstance(version, str) or {"git", "path", "url", "file"} & set(value):
            left_out.append(f"{file}: {name}: is no package of an index")
        elif normalise(name) == "python":
            python = _specifier(version, caret=caret)
        elif value.get("optional") is not True:
            extras = [item for item in value.get("extras") or () if isinstance(item, str)]
            marker = value.get("markers")
            listed = f"[{','.join(extras)}]" if extras else ""
            texts.append(f"{name}{listed}{_specifier(version, caret=caret)}" + (f"; {marker}" if isinstance(marker, str) else ""))
    told = _told(texts, file, python)
    return Told(requirements=told.requirements, python=told.python, left_out=(*left_out, *told.left_out))


def _told(texts: Any, file: str, python: str = "") -> Told:
    """Keep what is a requirement, and tell what is none."""
    found: list[str] = []
    left_out: list[str] = []
    for text in texts:
        if text and len(left_out) < FAULTS:
            try:
                found.append(parse(text).text)
            except NotLockableError as error:
                left_out.append(f"{file}: `{mask(text)}` {mask(str(error))}")
    return Told(requirements=tuple(found), python=python, left_out=tuple(left_out))


def _specifier(text: str, *, caret: bool) -> str:
    """Turn Poetry's and pipenv's words for versions into PEP 440's: ``^1.2`` is ``>=1.2,<2``, ``~1.2`` is ``>=1.2,<1.3``, ``*`` is nothing."""
    return ",".join(filter(None, (_clause(part.strip(), caret=caret) for part in text.split(","))))


def _clause(text: str, *, caret: bool) -> str:
    if text in {"", "*"}:
        return ""
    found = re.fullmatch(r"(\^|~(?!=))?\s*(\d+(?:\.\d+)*)(\S*)", text)
    if found is None or (found[1] is None and not caret):
        return text if re.match(r"[=<>!~]", text) else f"=={text}"
    if found[1] is None:
        return f"=={text}"
    numbers = [int(part[:9]) for part in found[2].split(".")]
    place = (
        next((index for index, number in enumerate(numbers) if number), len(numbers) - 1) if found[1] == "^" else min(1, len(numbers) - 1)
    )
    upper = [*numbers[:place], numbers[place] + 1]
    return f">={found[2]}{found[3]},<{'.'.join(map(str, upper))}"
