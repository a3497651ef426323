"""What is installed: one record of a distribution, one reader of RECORD, one of METADATA."""

from __future__ import annotations

import posixpath

from provisioner.base.names import normalise
from provisioner.base.paths import is_inside
from provisioner.environment.layout import SHAPES, layout
from provisioner.environment.workspace import STATE
from provisioner.host import Entry, Reader
from provisioner.host.files import glob_escape
from provisioner.model.record import record


@record
class Installed:
    """A distribution in an environment. ``metadata`` is its folder relative to the environment; ``recorded`` is false when RECORD is missing."""

    name: str
    version: str
    metadata: str
    recorded: bool


def read_distributions(reader: Reader, root: str, site_packages: str) -> tuple[Installed, ...]:
    """Return the distributions of the folder ``site_packages`` (absolute) of the environment at ``root``, in order."""
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


def leftovers(reader: Reader, root: str, site_packages: str) -> tuple[str, ...]:
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
    if not is_inside(path) or path.split("/", maxsplit=1)[0] == STATE or layout(reader.platform).makes_environment(path):
        return False
    place = posixpath.join(root, path)
    return reader.exists(place) and reader.entry(place).kind != "directory"


def sites(reader: Reader, env: str) -> tuple[str, ...]:
    """Return the site-packages folders of an environment, of Unix and of Windows layout."""
    root = glob_escape(env)
    found = [path for shape in SHAPES for path in reader.glob(posixpath.join(root, shape.packages))]
    return tuple(dict.fromkeys(reader.real(path) for path in found))


def parse_metadata(text: str) -> tuple[str, str, tuple[str, ...], str]:
    """Return name, version, requirements and Requires-Python from METADATA (core metadata: header lines up to the first empty one)."""
    name = version = requires_python = ""
    requires: list[str] = []
    for line in text.split("\n\n", 1)[0].splitlines():
        key, _, value = line.partition(":")
        value = value.strip()
        match key.lower():
            case "name":
                name = value
            case "version":
                version = value
            case "requires-python":
                requires_python = value
            case "requires-dist":
                requires.append(value)
    return normalise(name), version, tuple(requires), requires_python


def name_of_folder(base: str) -> tuple[str, str]:
    """Return normalised name and version as a metadata folder's own name tells them (PEP 376)."""
    name, _, version = base.rsplit(".", 1)[0].partition("-")
    return normalise(name), version.split("-py")[0] if base.endswith(".egg-info") else version
