"""The conda half of a change: packages linked aside, conda's history, and the files of conda packages that leave."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from provisioner.base.progress import Progress
from provisioner.conda.sources import places
from provisioner.engines import rattler
from provisioner.errors import OperationError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.conda_package import SUBDIRS, CondaPart
from provisioner.model.plan import Plan

HISTORY = "conda-meta/history"
# What rattler leaves in a folder besides the packages.
_MARKS = ("CACHEDIR.TAG", "conda-meta/.condarc-lock")


def link(plan: Plan, host: Host, prefix: str, *, channels: tuple[str, ...], progress: Progress) -> None:
    """Link the plan's conda packages into the folder ``prefix``, as an environment that will stand at the plan's place.

    ``prefix`` is the new environment aside, or the stage of a change. ``channels`` are they as somebody asked for them, with
    credentials, which no plan holds. What conda needs to take the folder for an environment of its own is
    written, too.
    """
    part = _part(plan)
    if not part.changes and host.exists(posixpath.join(plan.env.path, HISTORY)):
        return
    if part.packages:
        progress.start("conda", f"Linking {len(part.packages)} conda package{'s' * (len(part.packages) != 1)}", sum(_growing(part)))
        found = places(host, replace(plan.request, channels=(*channels, *plan.request.channels)), part.channels)
        scripts = rattler.install(
            host,
            found.channels,
            part.packages,
            prefix=prefix,
            target=plan.env.path,
            subdir=SUBDIRS[plan.choice.platform],
            specs=part.specs,
            beside=_python_record(plan.env.path, part),
            wary=plan.kind != "apply",
            watch=progress.advance,
        )
        progress.finish()
        if scripts:
            progress.note(f"code of packages is never run here, so neither was the post-link script of {', '.join(scripts)}")
    for name in _MARKS:
        path = posixpath.join(prefix, name)
        if host.exists(path):
            host.remove(path)
    make_folders(host, posixpath.join(prefix, "conda-meta"))
    host.write(posixpath.join(prefix, HISTORY), history(host, plan))


def _part(plan: Plan) -> CondaPart:
    if plan.conda is None:
        raise OperationError("the plan names no conda packages", hint="plan again")
    return plan.conda


def _growing(part: CondaPart) -> list[int]:
    """Bytes written for each package: the download, and what it unpacks to (``plan.CONDA_GROWTH``)."""
    return [package.size * 4 for package in part.packages]


def _python_record(root: str, part: CondaPart) -> str:
    """Return conda's record of the Python that stays, which says where pure packages belong; "" where Python itself is linked."""
    text = part.unchanged.get("python", "")
    return posixpath.join(root, "conda-meta", f"python-{text.replace(' ', '-')}.json") if text else ""


def history(reader: Reader, plan: Plan) -> str:
    """Return conda's history of the environment with this change at its end (the form of conda's ``conda.history``)."""
    part = _part(plan)
    path = posixpath.join(plan.env.path, HISTORY)
    before = reader.read_text(path, limit=1 << 24) if reader.exists(path) else ""
    lines = [f"==> {plan.made[:19].replace('T', ' ')} <==", f"# cmd: tfsetup {'apply --kind conda' if plan.kind == 'apply' else 'fix'}"]
    lines += [f"-{removal.identity}" for removal in part.removals]
    lines += [f"+{package.channel.rstrip('/').rsplit('/', 1)[-1]}/{package.subdir}::{package.identity}" for package in part.packages]
    specs = ", ".join(f"'{spec}'" for spec in part.specs)
    return before + "\n".join([*lines, f"# update specs: [{specs}]"]) + "\n"
