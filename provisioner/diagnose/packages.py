"""What several checks ask of a case: its Python, TensorFlow's distribution, and what TensorFlow needs of the rest."""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Mapping

from provisioner.base.names import OWN_FOLDERS, is_rival, normalise
from provisioner.base.requirement import applies, read_requirement
from provisioner.diagnose.case import Case
from provisioner.environment.distributions import Installed, compiled_for
from provisioner.environment.layout import layout, version_of
from provisioner.environment.metadata import name_of_folder
from provisioner.host import files


def python(case: Case) -> str:
    """The minor version of the Python that runs, as ``3.11``; without an answer, the one that the environment was made for."""
    return minor(case.survey.version) if case.survey else made_for(case)


def made_for(case: Case) -> str:
    """The Python that the environment's packages lie under (``lib/python3.11``), else that of ``pyvenv.cfg``, else that of all its wheels; or ""."""
    with_packages = [version_of(item.site) for item in case.distributions if item.site.startswith(case.env + "/")]
    names = [name for name in dict.fromkeys(with_packages or map(version_of, folders(case))) if name]
    told = minor(case.config.get("version_info") or case.config.get("version", ""))
    if told in names or not names:
        return told or compiled_for(item for item in case.distributions if item.site.startswith(case.env + "/"))
    return names[0]


def folders(case: Case) -> tuple[str, ...]:
    """The site-packages folders of the environment that are there."""
    if not case.env:
        return ()
    pattern = f"{files.glob_escape(case.env)}/{layout(case.reader.platform).packages}"
    return tuple(files.real(case.reader, path) for path in files.matches(case.reader, pattern))


def minor(version: str) -> str:
    """``3.11`` of ``3.11.7``; "" of what is no version."""
    found = re.match(r"\d+\.\d+", version)
    return found[0] if found else ""


def markers(case: Case) -> Mapping[str, str]:
    """The environment of PEP 508; where the interpreter does not answer, what is known of it and of this machine."""
    if case.survey is not None:
        return case.survey.markers
    system = case.facts.system
    names = {"linux": ("Linux", "linux", "posix"), "macos": ("Darwin", "darwin", "posix"), "windows": ("Windows", "win32", "nt")}
    platform, sys_platform, name = names.get(system.os.value or "", ("Linux", "linux", "posix"))
    known = python(case)
    # A marker needs one. What is not known is not what the machine has, so no package is refused for it.
    version = known or "3.11"
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": name,
        "platform_machine": system.architecture.value or "",
        "platform_release": system.kernel.value or "",
        "platform_system": platform,
        "platform_version": "",
        "platform_python_implementation": "CPython",
        "python_full_version": f"{known}.0" if known else "",
        "python_version": version,
        "sys_platform": sys_platform,
    }


def tensorflows(case: Case) -> tuple[Installed, ...]:
    """Every distribution that owns the tensorflow package (or stands for one that does), in the order of the module path."""
    return tuple(item for item in case.distributions if is_rival(item.name))


def tensorflow(case: Case) -> Installed | None:
    """The distribution of the TensorFlow that would be imported: that of the expected version, else the first."""
    found = tensorflows(case)
    return next((item for item in found if item.version == case.expected.tensorflow), found[0] if found else None)


def is_absent(case: Case) -> bool:
    """True where the interpreter answers and sees no TensorFlow, neither a distribution nor a folder of that name."""
    return case.survey is not None and not tensorflows(case) and not package_folders(case)


def first_of(case: Case) -> dict[str, Installed]:
    """The distributions by name, of each the one that the interpreter uses."""
    found: dict[str, Installed] = {}
    for item in case.distributions:
        found.setdefault(item.name, item)
    return found


def needed(case: Case) -> frozenset[str]:
    """The names of TensorFlow's distributions and of all they require, direct or not, under this Python; installed or not."""
    environment = {**markers(case), "extra": ""}
    installed = first_of(case)
    waiting = [item.name for item in tensorflows(case)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for text in installed[name].requires if name in installed else ():
            try:
                requirement = read_requirement(text)
            except ValueError:
                continue
            if applies(requirement, environment):
                waiting.append(normalise(requirement.name))
    if case.lock is not None:
        seen |= {file.name for file in case.lock.files}
    return frozenset(seen)


def required(case: Case) -> frozenset[str]:
    """The names that some installed distribution requires, under this Python."""
    environment = {**markers(case), "extra": ""}
    found: set[str] = set()
    for item in case.distributions:
        for text in item.requires:
            with contextlib.suppress(ValueError):
                requirement = read_requirement(text)
                found |= {normalise(requirement.name)} if applies(requirement, environment) else set()
    return frozenset(found)


def inside(case: Case, path: str) -> bool:
    """True for a path in the environment."""
    return bool(case.env) and path.startswith(case.env.rstrip("/") + "/")


def package_folders(case: Case) -> tuple[str, ...]:
    """Folders named tensorflow (of 1.15 and 2.0: tensorflow_core, too) on the module path, whether or not a distribution owns them."""
    sites = [files.real(case.reader, entry.path) for entry in case.survey.path] if case.survey else [*folders(case)]
    sites = [site for site in dict.fromkeys(sites) if posixpath.basename(site).endswith("-packages")]
    packages = [posixpath.join(site, name) for site in sites for name in OWN_FOLDERS]
    return tuple(path for path in packages if files.there(case.reader, path))


def tensorflow_in(case: Case, site: str) -> str:
    """The metadata folder of a TensorFlow distribution in a folder of packages; "" where there is none."""
    for path in files.matches(case.reader, f"{files.glob_escape(site)}/*.dist-info"):
        if is_rival(name_of_folder(posixpath.basename(path))[0]):
            return path
    return ""
