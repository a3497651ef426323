"""Reading an environment that is broken, and finding in it what a restored distribution replaces, with or without a record."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from provisioner.environment.conda_records import protection, read_records
from provisioner.environment.read import (
    Installed,
    Site,
    config_version,
    glob_escape,
    parse_config,
    read_conda_site,
    recorded_files,
    site_of,
)
from provisioner.environment.workspace import STATE
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.plan import EnvState

# What makes a new environment: these go out when it is made anew, whoever wrote them (PEP 405; the files of venv, virtualenv and uv).
_MADE = ("pyvenv.cfg", "lib", "lib64", "include")
_PROGRAM = r"python[0-9.]*|pip[0-9.]*|wheel[0-9.]*|easy_install[-0-9.]*|(de)?activate[^/]*|Activate\.ps1|pydoc\.bat"


def read_broken(reader: Reader, path: str) -> Site:
    """Read an environment whose Python or ``pyvenv.cfg`` may be gone or wrong; what cannot be told is empty.

    Raises ``InputError`` where there is no environment to mend: nothing, a conda environment that must not be changed, a Python installation
    (the system's among them), or a folder with other files in it.
    """
    root = reader.real(path)
    if not reader.exists(root) or reader.entry(root).kind != "directory":
        raise InputError("there is no environment", place=path, hint="make one with `tfsetup apply`, or name another with --env")
    names = {posixpath.basename(entry.path) for entry in reader.list(root)}
    if "conda-meta" in names:
        why = protection(reader, root)
        if why:
            hint = "make one of its own beside it with `tfsetup apply --env ./tf-env`; `tfsetup doctor` says what is wrong in this one"
            raise InputError(f"it is never changed: {why}", place=path, hint=hint)
        return read_conda_site(reader, root)
    folders = [folder for folder in _packages_folders(reader, root) if reader.real(folder) == folder]
    if not _is_environment(reader, root, names, folders):
        raise InputError("it is not a virtual environment", place=path, hint=what_instead(reader, root))
    version, folder = _version(_config(reader, root), folders)
    python = posixpath.join(root, "bin", "python")
    if not folder:
        state = EnvState(path=root, kind="venv", digest="", python=python, python_version=version)
        return Site(state=state, distributions=(), leftovers=())
    return site_of(reader, root, python=python, version=version, site_packages=folder)


def what_instead(reader: Reader, root: str) -> str:
    """Say what to do about a Python that is never changed; PEP 668's marker tells that the operating system manages it."""
    managed = reader.glob(posixpath.join(glob_escape(root), "lib", "python3*", "EXTERNALLY-MANAGED"))
    whose = "this Python is managed by the operating system (PEP 668)" if managed else "a Python installation itself is never changed"
    return f"{whose}: make an environment with `tfsetup apply --env ./tf-env`, and use that"


def _packages_folders(reader: Reader, root: str) -> tuple[str, ...]:
    return reader.glob(posixpath.join(glob_escape(root), "lib", "python3.*", "site-packages"))


def _is_environment(reader: Reader, root: str, names: set[str], folders: list[str]) -> bool:
    """An environment without its ``pyvenv.cfg`` still has its activate script, and no standard library of its own."""
    if "pyvenv.cfg" in names:
        return True
    installation = reader.glob(posixpath.join(glob_escape(root), "lib", "python3.*", "os.py"))
    return bool(folders) and not installation and reader.exists(posixpath.join(root, "bin", "activate"))


def _config(reader: Reader, root: str) -> dict[str, str]:
    try:
        return parse_config(reader.read_text(posixpath.join(root, "pyvenv.cfg")))
    except OSError:
        return {}


def _version(config: dict[str, str], folders: list[str]) -> tuple[str, str]:
    """Return the version and the packages' folder: those that agree, else the newest Python of which packages are there."""
    told = config_version(config)
    short = ".".join(told.split(".")[:2])
    by_version = {
        re.findall(r"/python(3\.\d+)/site-packages$", folder)[0]: folder for folder in folders if not folder.endswith("t/site-packages")
    }
    if short in by_version:
        return told, by_version[short]
    newest = max(by_version, key=lambda item: int(item.split(".")[1]), default="")
    return (newest, by_version[newest]) if newest else (told, "")


def files_of(reader: Reader, root: str, going: Iterable[Installed], staying: Iterable[Installed]) -> set[str]:
    """Return the paths of distributions that go, less the files that one of those that stay has recorded as well.

    One without a record is found by the modules that its ``top_level.txt`` names (setuptools' documentation, "EGG-INFO").
    """
    kept = {path for item in staying for path in recorded_files(reader, root, item)}
    folders = {folder for path in kept for folder in _parents(path)}
    found: set[str] = set()
    for item in going:
        names = set(recorded_files(reader, root, item)) if item.recorded else {item.metadata, *_top_level(reader, root, item)}
        found |= {name for name in names if name not in kept and name not in folders}
    return found


def _top_level(reader: Reader, root: str, item: Installed) -> set[str]:
    try:
        text = reader.read_text(posixpath.join(root, item.metadata, "top_level.txt"))
    except OSError:
        return set()
    site = posixpath.dirname(item.metadata)
    names = [name for name in text.split() if re.fullmatch(r"\w+", name)]
    return {
        posixpath.join(site, path) for name in names for path in (name, f"{name}.py") if reader.exists(posixpath.join(root, site, path))
    }


def replaced(
    reader: Reader, root: str, stage: str, site_packages: str, staying: Iterable[Installed], others: Iterable[str] = ()
) -> set[str]:
    """Return what lies in ``root`` where the new files of ``stage`` will be: nothing of a damaged copy may survive beside them.

    A folder of packages goes as a whole when new files come right into it and no distribution that stays has recorded a file below it, so that
    leftovers of an interrupted install, of another version and without any record go, too. Elsewhere it is file by file. ``others`` are files
    that stay as well.
    """
    kept = {folder for item in staying for path in recorded_files(reader, root, item) for folder in _parents(path)}
    kept |= {folder for path in others for folder in _parents(path)}
    found: set[str] = set()

    def enter(folder: str) -> None:
        entries = reader.list(posixpath.join(stage, folder) if folder else stage)
        inside = folder.startswith(site_packages + "/")
        if inside and folder not in kept and any(entry.kind != "directory" for entry in entries):
            found.add(folder)
            return
        for entry in entries:
            name = posixpath.relpath(entry.path, stage)
            place = posixpath.join(root, name)
            if not reader.exists(place):
                # The byte code of a module that is gone may still be there, and goes with its name.
                found.update([name] if name.endswith(".py") else [])
            elif entry.kind == "directory" and reader.entry(place).kind == "directory":
                enter(name)
            else:
                found.add(name)

    enter("")
    return found


def _parents(path: str) -> list[str]:
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found


def environment_files(reader: Reader, site: Site) -> set[str]:
    """Return all that belongs to the environment itself and to what is installed in it; a person's own files beside that stay where they are."""
    root = site.state.path
    found = {name for name in _MADE if reader.exists(posixpath.join(root, name))}
    for item in site.distributions:
        found.update(path for path in recorded_files(reader, root, item) if path.split("/", maxsplit=1)[0] not in {*_MADE, STATE})
    if site.state.kind == "conda":
        records = read_records(reader, root)
        listed = (file.path for item in records for file in item.files if file.kind != "directory")
        found |= {
            path for path in listed if path.split("/", maxsplit=1)[0] not in {*_MADE, STATE} and reader.exists(posixpath.join(root, path))
        }
        # A person's pins and variables stay, as do the times before in conda's history, to which the new one adds.
        found |= {item.meta for item in records}
    programs = posixpath.join(root, "bin")
    if reader.exists(programs) and reader.entry(programs).kind == "directory":
        names = (posixpath.basename(entry.path) for entry in reader.list(programs))
        found.update(f"bin/{name}" for name in names if re.fullmatch(_PROGRAM, name))
    return found


def unowned(reader: Reader, site: Site) -> tuple[str, ...]:
    """Return the entries of site-packages that no distribution has recorded: a person's own modules and ``.pth`` files, or what was left behind."""
    root, folder = site.state.path, site.state.site_packages
    if not folder:
        return ()
    owned = {path for item in site.distributions for path in recorded_files(reader, root, item)}
    tops = {path[len(folder) + 1 :].split("/")[0] for path in owned if path.startswith(folder + "/")}
    # Written by the makers of environments themselves.
    tops |= {"__pycache__", "_virtualenv.py", "_virtualenv.pth", "distutils-precedence.pth"}
    return tuple(
        name
        for entry in reader.list(posixpath.join(root, folder))
        if (name := posixpath.basename(entry.path)) not in tops
        and not name.startswith("~")
        # Installers make the folders that a wheel holds, empty ones too.
        and not (entry.kind == "directory" and not reader.list(entry.path))
    )
