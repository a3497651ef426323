"""The DLLs that TensorFlow's native files ask for on Windows, and the folders in which Windows looks for them.

Source: Microsoft, "Dynamic-link library search order": beside the module, in the folder of the program (of a virtual environment that is the Python
under it), in the folders that were added, in Windows' own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from provisioner.base.names import is_rival
from provisioner.diagnose import tensorflow
from provisioner.diagnose.case import Case
from provisioner.facts.pe import Pe, PeError, read_pe
from provisioner.facts.windows import system_folder
from provisioner.host import files
from provisioner.model.record import record

# The parts of the Visual C++ 2015-2022 runtime.
RUNTIME = re.compile(r"(msvcp|vcruntime|concrt|vccorlib|vcomp)140(_[a-z0-9_]+)?\.dll")
# API sets are names that Windows resolves by itself ("Windows API sets"); those of the C runtime came with Windows 10.
API_SETS = ("api-ms-win-", "ext-ms-win-")
NOT_WINDOWS = "this is not Windows"


@record
class Wanted:
    """A DLL that is asked for, in lower case, and one of the files that do."""

    name: str
    by: str


def wanted(imports: Mapping[str, Pe], named: Iterable[str], named_by: str) -> tuple[Wanted, ...]:
    """Every DLL that the files import when they are loaded, and those that TensorFlow itself looks for; each once, sorted."""
    found: dict[str, str] = {}
    for path, pe in sorted(imports.items()):
        for name in pe.imports:
            found.setdefault(name.lower(), path)
    for name in named:
        found.setdefault(name.lower(), named_by)
    return tuple(Wanted(name=name, by=by) for name, by in sorted(found.items()) if not name.startswith(API_SETS))


def named_in_build(text: str) -> tuple[str, ...]:
    """The DLLs of the C++ runtime that ``build_info.py`` names: ``'msvcp_dll_names': 'msvcp140.dll,msvcp140_1.dll'`` (before 2.3 ``=``)."""
    found = re.search(r"msvcp_dll_names?['\"]?\s*(?:=|:|,)\s*['\"]([\w.,]+)['\"]", text)
    return tuple(name for name in found[1].split(",") if name) if found else ()


def native(case: Case) -> dict[str, Pe]:
    """TensorFlow's libraries and extension modules: in the folder from which it is loaded, and wherever else its distributions have some."""
    package = tensorflow.folder(case)
    patterns = ("python/*.pyd", "python/*.dll", "*.dll")
    paths = [path for pattern in patterns for path in files.matches(case.reader, f"{package}/{pattern}")] if package else []
    paths += [path for path, owner in case.integrity.natives if is_rival(owner) and package and path.startswith(f"{package}/")]
    found: dict[str, Pe] = {}
    for path in dict.fromkeys(paths):
        try:
            found[path] = read_pe(case.reader, path)
        except (OSError, PeError):  # noqa: PERF203 - one bad file leaves the others
            continue
    return found


def wanted_of(case: Case) -> tuple[Wanted, ...]:
    """Every DLL that TensorFlow's files and its own check ask for."""
    build = f"{tensorflow.folder(case)}/python/platform/build_info.py"
    return wanted(native(case), named_in_build(files.read(case.reader, build).text or ""), build)


def system(case: Case) -> str:
    """The folder of Windows' own DLLs."""
    return system_folder(tensorflow.variable(case, "SYSTEMROOT") or tensorflow.variable(case, "SystemRoot"))


def program_folders(case: Case) -> tuple[str, ...]:
    """The folder of python.exe, which Windows searches first: of a virtual environment that is the Python under it, and not the environment's own."""
    survey = case.survey
    base = survey.base_prefix if survey is not None else case.config.get("home", "") or posixpath.dirname(case.python.replace("\\", "/"))
    return tuple(dict.fromkeys([base, *([] if case.config else [case.env])]))


def listed(case: Case, folders: Iterable[str]) -> set[str]:
    """The names in folders, in lower case."""
    names: set[str] = set()
    for folder in folders:
        try:
            names |= {re.split(r"[\\/]", entry.path)[-1].lower() for entry in case.reader.list(folder)} if folder else set()
        except files.FAULTS:  # noqa: PERF203 - as above
            continue
    return names
