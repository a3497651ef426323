"""Reading an environment: what kind it is, its Python, its distributions and what rivals left behind."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace

from provisioner.environment.workspace import STATE
from provisioner.errors import InputError
from provisioner.host import Entry, Reader
from provisioner.model.plan import EnvState
from provisioner.model.record import record

# Distributions that unpack into site-packages/tensorflow, so that no two of them can be installed together
# (facts/pitfalls.yaml, two-distributions-one-directory; the names are those of PyPI).
_RIVALS = (
    r"tensorflow(-(cpu|gpu|intel|macos|rocm|rocm-enhanced|aarch64|cpu-aws|directml|gpu-macosx))?|intel-tensorflow(-avx512)?|nvidia-tensorflow"
    r"|(tf-nightly|tensorflow-nightly)(-[a-z0-9-]+)?"
)
# What makes a folder an environment; no distribution brings it.
_ENVIRONMENT = r"pyvenv\.cfg|bin/(python[0-9.]*|activate[^/]*)"
# Folders those distributions own: the package, the real module of 1.15 and 2.0, and links to data.
RIVAL_FOLDERS = ("tensorflow", "tensorflow_core")


@record
class Installed:
    """A distribution in an environment. ``metadata`` is its folder relative to the environment; ``recorded`` is false when RECORD is missing."""

    name: str
    version: str
    metadata: str
    recorded: bool


@record
class Site:
    """An environment and what is installed in it.

    ``leftovers`` are relative paths that a broken uninstall left; ``shared`` are those folders of ``RIVAL_FOLDERS`` that are there.
    ``conda`` are the conda packages of a conda environment, as ``name-version-build``.
    """

    state: EnvState
    distributions: tuple[Installed, ...]
    leftovers: tuple[str, ...]
    shared: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()

    def named(self, name: str) -> Installed | None:
        """The distribution of that normalised name."""
        return next((item for item in self.distributions if item.name == name), None)


def is_rival(name: str) -> bool:
    """True for the normalised name of a distribution that owns site-packages/tensorflow."""
    return re.fullmatch(_RIVALS, name) is not None


def normalise(name: str) -> str:
    """Return a distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_config(text: str) -> dict[str, str]:
    """Return the keys of a ``pyvenv.cfg`` (PEP 405): ``home = /usr/bin`` and so on."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def config_version(config: Mapping[str, str]) -> str:
    """Return the Python of a ``pyvenv.cfg`` as ``3.11.7``: virtualenv writes 3.11.7.final.0, uv and venv 3.11.7 (or 3.13.0rc1, 3.12.1+)."""
    return ".".join((config.get("version_info") or config.get("version", "")).split("+")[0].split(".")[:3])


def read_site(reader: Reader, path: str) -> Site:
    """Read what is at ``path`` (absolute).

    Raises ``InputError`` when it is a file, a folder with something else in it, an environment whose Python is gone, or the place of a
    system's Python.
    """
    root = reader.real(path)
    if not reader.exists(root):
        return Site(state=EnvState(path=root, kind="absent", digest="absent"), distributions=(), leftovers=())
    entry = reader.entry(root)
    if entry.kind != "directory":
        raise _not_environment(path, "it is a file, not a folder")
    try:
        names = {posixpath.basename(item.path) for item in reader.list(root)}
    except PermissionError:
        raise _not_environment(path, "it cannot be read by this user") from None
    if not names:
        return Site(state=EnvState(path=root, kind="empty", digest="empty"), distributions=(), leftovers=())
    if "conda-meta" in names:
        return read_conda_site(reader, root)
    if "pyvenv.cfg" not in names:
        raise _not_environment(path, _what_else(reader, root, names))
    return _read_venv(reader, root)


def _what_else(reader: Reader, root: str, names: set[str]) -> str:
    if any(reader.exists(posixpath.join(root, "bin", name)) for name in ("python3", "python")):
        return "it is the place of a Python installation, not a virtual environment; such a Python is never changed"
    if names == {STATE}:
        return "it holds only what an interrupted run of tfsetup left; run `tfsetup undo` there"
    return "it is a folder with other files in it, not a virtual environment"


def _not_environment(path: str, why: str, hint: str = "") -> InputError:
    return InputError(why, place=path, hint=hint or "choose another folder with --env")


def _read_venv(reader: Reader, root: str) -> Site:
    try:
        config = parse_config(reader.read_text(posixpath.join(root, "pyvenv.cfg")))
    except OSError as error:
        raise _not_environment(root, f"its pyvenv.cfg cannot be read: {error.strerror}") from None
    python = posixpath.join(root, "bin", "python")
    folders = reader.glob(posixpath.join(glob_escape(root), "lib", "python3.*", "site-packages"))
    version = config_version(config)
    short = ".".join(version.split(".")[:2])
    site_packages = next((item for item in folders if item.endswith(f"/python{short}/site-packages")), "")
    if not site_packages:
        hint = "remove it, or choose another folder with --env"
        raise _not_environment(root, "its pyvenv.cfg names no Python whose site-packages folder is there", hint)
    if reader.real(site_packages) != site_packages:
        raise _not_environment(root, f"its packages are elsewhere ({reader.real(site_packages)}), and nothing outside is ever changed")
    if not reader.exists(reader.real(python)):
        raise _not_environment(root, f"its Python is gone ({reader.real(python)})", "remove it, or choose another folder with --env")
    return site_of(reader, root, python=python, version=version, site_packages=site_packages)


def read_conda_site(reader: Reader, root: str) -> Site:
    """Read the conda environment at ``root`` (absolute): what conda put there by the names of its records, and the Python distributions.

    An environment without Python is one all the same. Source: the files of ``conda-meta`` are called ``name-version-build.json`` (CEP 36).
    """
    identities = conda_identities(reader, root)
    versions = [item.rsplit("-", 2)[1] for item in identities if item.rsplit("-", 2)[0] == "python"]
    # Recorded twice, it is the one of which packages are there.
    there = [item for item in versions if reader.exists(posixpath.join(root, f"lib/python{'.'.join(item.split('.')[:2])}/site-packages"))]
    version = next(iter((*there, *versions)), "")
    folder = posixpath.join(root, "lib", f"python{'.'.join(version.split('.')[:2])}", "site-packages")
    digest = hashlib.sha256("\n".join(identities).encode()).hexdigest()
    if not version or not reader.exists(folder):
        state = EnvState(path=root, kind="conda", digest=digest, python_version=version, managed=_is_managed(reader, root))
        return Site(state=state, distributions=(), leftovers=(), conda=identities)
    found = site_of(reader, root, python=posixpath.join(root, "bin", "python"), version=version, site_packages=folder)
    whole = hashlib.sha256(f"{digest}\n{found.state.digest}".encode()).hexdigest()
    return replace(found, state=replace(found.state, kind="conda", digest=whole), conda=identities)


def conda_identities(reader: Reader, root: str) -> tuple[str, ...]:
    """Return the conda packages of an environment as ``name-version-build``, sorted."""
    names = [posixpath.basename(entry.path) for entry in reader.list(posixpath.join(root, "conda-meta"))]
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json") and name.count("-") > 1))


def _is_managed(reader: Reader, root: str) -> bool:
    return reader.exists(posixpath.join(root, STATE, "receipt.json"))


def site_of(reader: Reader, root: str, *, python: str, version: str, site_packages: str) -> Site:
    """Return what is installed in the folder ``site_packages`` (absolute) of the environment at ``root``."""
    distributions = _distributions(reader, root, site_packages)
    return Site(
        state=EnvState(
            path=root,
            kind="venv",
            digest=_digest(distributions),
            python=python,
            python_version=version,
            site_packages=posixpath.relpath(site_packages, root),
            managed=_is_managed(reader, root),
        ),
        distributions=distributions,
        leftovers=_leftovers(reader, root, site_packages),
        shared=tuple(
            posixpath.relpath(path, root) for path in (posixpath.join(site_packages, name) for name in RIVAL_FOLDERS) if reader.exists(path)
        ),
    )


def glob_escape(path: str) -> str:
    """Return a path in which nothing is a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _digest(distributions: tuple[Installed, ...]) -> str:
    lines = "\n".join(f"{item.name}=={item.version}" for item in distributions)
    return hashlib.sha256(lines.encode()).hexdigest()


def _distributions(reader: Reader, root: str, site_packages: str) -> tuple[Installed, ...]:
    found: list[Installed] = []
    for entry in reader.list(site_packages):
        base = posixpath.basename(entry.path)
        if base.endswith((".dist-info", ".egg-info")) and not base.startswith("~"):
            installed = _installed(reader, root, entry, base)
            if installed is not None:
                found.append(installed)
    return tuple(sorted(found, key=lambda item: (item.name, item.version)))


def _installed(reader: Reader, root: str, entry: Entry, base: str) -> Installed | None:
    """Read name and version: from the folder's name (PEP 376), which costs no file, unless it has none."""
    stem = base.rsplit(".", 1)[0]
    name, _, version = stem.partition("-")
    if base.endswith(".egg-info"):
        version = version.split("-py")[0]
    if not version:
        return None
    record = posixpath.join(entry.path, "RECORD" if base.endswith(".dist-info") else "installed-files.txt")
    return Installed(
        name=normalise(name),
        version=version,
        metadata=posixpath.relpath(entry.path, root),
        recorded=entry.kind == "directory" and reader.exists(record),
    )


def _leftovers(reader: Reader, root: str, site_packages: str) -> tuple[str, ...]:
    """Folders that pip renamed before it failed to remove them start with a tilde (pip's ``AdjacentTempDirectory``)."""
    found = [entry.path for entry in reader.list(site_packages) if posixpath.basename(entry.path).startswith("~")]
    return tuple(posixpath.relpath(path, root) for path in found)


def recorded_files(reader: Reader, root: str, installed: Installed) -> tuple[str, ...]:
    """Return the files of a distribution relative to the environment; its metadata folder stands for all in it.

    Read from RECORD (PEP 376) or ``installed-files.txt``. A forged one can harm nothing: lines that lead out of the environment, name a
    folder, or name what makes it an environment are left out.
    """
    metadata = posixpath.join(root, installed.metadata)
    files = {installed.metadata}
    if installed.recorded and installed.metadata.endswith(".dist-info"):
        folder = posixpath.dirname(installed.metadata)
        names = _record_names(reader.read_text(posixpath.join(metadata, "RECORD"), limit=1 << 26))
    elif installed.recorded:
        folder = installed.metadata
        names = reader.read_text(posixpath.join(metadata, "installed-files.txt"), limit=1 << 26).splitlines()
    else:
        return tuple(files)
    for name in names:
        path = posixpath.normpath(posixpath.join(folder, name))
        if not path.startswith(installed.metadata + "/") and _removable(reader, root, path):
            files.add(path)
    return tuple(sorted(files))


def _record_names(text: str) -> list[str]:
    import csv  # noqa: PLC0415 - only when something is removed

    try:
        return [row[0] for row in csv.reader(text.splitlines()) if row]
    except csv.Error:
        # Not a RECORD: the metadata goes, and files that are in the way of new ones are moved when those come.
        return []


def _removable(reader: Reader, root: str, path: str) -> bool:
    """True for a file that a distribution can own."""
    if path.startswith(("/", "..")) or "\0" in path or path.split("/", maxsplit=1)[0] == STATE or re.fullmatch(_ENVIRONMENT, path):
        return False
    place = posixpath.join(root, path)
    return reader.exists(place) and reader.entry(place).kind != "directory"
