"""Checks of what this user may do, and of the room on the disks."""

from __future__ import annotations

import posixpath

from provisioner.base.text import size_words
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.host import files, passing, user_folders
from provisioner.model.finding import Evidence

# Under the first, programs fail at once; under the second, at odd places.
NOTHING_LEFT = 1 << 20
LITTLE_LEFT = 100 << 20


def permissions(case: Case, findings: Findings) -> str:
    """This user may read what is to be imported, and write where temporary files go."""
    for folder in dict.fromkeys((*packages.folders(case), *(item.site for item in packages.tensorflows(case)))):
        for path in (folder, posixpath.join(folder, "tensorflow")):
            _listable(case, path, findings)
        for path in ("tensorflow/__init__.py", "numpy/__init__.py", "google/protobuf/__init__.py", "keras/__init__.py", "six.py"):
            _readable(case, posixpath.join(folder, path), findings)
    place = passing.usual(case.reader)
    if case.reader.platform != "win32" and files.there(case.reader, place) and not case.reader.writable(place):
        seen = Evidence(seen="this user may not write there, where temporary files go", where=place)
        findings.add("permission-denied", "warning", "likely", seen)
    if case.env and not case.reader.writable(case.env):
        seen = Evidence(seen="this user may not change the environment; using it needs no more than reading", where=case.env)
        findings.add("permission-denied", "info", "certain", seen, title="This user may not change the environment")
    return "what is imported can be read"


def _listable(case: Case, path: str, findings: Findings) -> None:
    try:
        case.reader.list(path, named=lambda _: False)
    except PermissionError:
        findings.add(
            "permission-denied", import_result.breaking(case)[0], "certain", Evidence(seen="this user may not look into it", where=path)
        )
    except files.FAULTS:
        return


def _readable(case: Case, path: str, findings: Findings) -> None:
    try:
        case.reader.read_bytes(path, 1)
    except PermissionError:
        findings.add(
            "permission-denied", import_result.breaking(case)[0], "certain", Evidence(seen="this user may not read it", where=path)
        )
    except files.FAULTS:
        return


def room(case: Case, findings: Findings) -> str:
    """There is room on the disks of the environment, of the home folder and of temporary files."""
    places = dict.fromkeys(path for path in (case.env, user_folders.home(case.reader), passing.usual(case.reader)) if path)
    said = []
    for path in places:
        try:
            space = case.reader.space(path)
        except files.FAULTS:
            continue
        said.append(f"{size_words(space.free)} where {path} lies")
        if space.free < LITTLE_LEFT or space.inodes == 0:
            none = space.free < NOTHING_LEFT or space.inodes == 0
            left = f"{size_words(space.free)} are free" + (", and no file can be added" if space.inodes == 0 else "")
            findings.add("disk-full", "error" if none else "warning", "certain" if none else "possible", Evidence(seen=left, where=path))
    return ", ".join(said) or "no disk could be asked"


CHECKS = (
    CheckSpec(name="permissions", title="this user may read what is imported", look=permissions),
    CheckSpec(name="room", title="there is room on the disks", look=room),
)
