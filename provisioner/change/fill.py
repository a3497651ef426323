"""Filling a folder with what a plan brings: a new environment aside, or the stage of a change; the environment itself is not touched."""

from __future__ import annotations

import posixpath

from provisioner.base.progress import Progress
from provisioner.change import conda
from provisioner.change.moves import merge
from provisioner.engines import uv, uv_pythons
from provisioner.environment.config import parse_config
from provisioner.environment.layout import CONFIG, layout
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.plan import Plan


def build(plan: Plan, host: Host, aside: Workspace, channels: tuple[str, ...], progress: Progress) -> None:
    """Make the whole environment aside, as one that will stand at the plan's place."""
    shape = layout(host.platform)
    if plan.conda is not None:
        python = posixpath.join(aside.root, shape.conda_python)
        conda.link(plan, host, aside.root, channels=channels, progress=progress)
        if plan.packages or plan.links or plan.checkouts:
            _fill_by_helper(plan, host, aside, python, aside.root, progress)
        _write_edits(plan, host, aside.root)
        return
    python = _interpreter(plan, host, aside, progress)
    progress.start("create", f"Making a virtual environment with Python {plan.choice.python}")
    uv.create_environment(host, path=aside.root, python=python, prompt=posixpath.basename(plan.env.path))
    progress.finish()
    _fill(plan, host, aside, python=posixpath.join(aside.root, shape.python), target=aside.root, progress=progress)


def _interpreter(plan: Plan, host: Host, workspace: Workspace, progress: Progress) -> str:
    """Return the path of the Python that the environment is made with; one that is to be fetched is, where nobody was faster."""
    if plan.choice.interpreter is None:
        raise OperationError("the plan names no interpreter", hint="plan on the machine itself")
    path, download = plan.choice.interpreter.path, plan.choice.download
    if download is not None and not host.exists(path):
        progress.start("fetch", f"Fetching Python {download.version} from {download.source}", download.unpacked)
        uv_pythons.fetch(host, download, workspace.fetched, watch=progress.advance)
        host.remove_tree(workspace.fetched)
        progress.finish(f"it is kept in {download.folder}")
    return path


def stage(plan: Plan, host: Host, workspace: Workspace, own: str, channels: tuple[str, ...], progress: Progress) -> None:
    """Put into the stage, laid out as in the environment, what will move in; ``own`` is the environment's Python."""
    folder, shape = workspace.stage, layout(host.platform)
    if (plan.kind == "rebuild" or not plan.env.exists) and plan.conda is None:
        python = _interpreter(plan, host, workspace, progress)
        progress.start("create", f"Making a virtual environment with Python {plan.choice.python}")
        uv.create_environment(host, path=folder, python=python, prompt=posixpath.basename(workspace.root))
        progress.finish()
        _fill(plan, host, workspace, python=posixpath.join(folder, shape.python), target=folder, progress=progress)
    elif plan.conda is not None:
        conda.link(plan, host, folder, channels=channels, progress=progress)
        linked = posixpath.join(folder, shape.conda_python)
        if plan.packages or plan.checkouts:
            _fill_by_helper(plan, host, workspace, linked if host.exists(linked) else own, folder, progress)
        else:
            _fill(plan, host, workspace, python=own, target=folder, progress=progress)
    elif (plan.packages or plan.checkouts) and (plan.base or _is_relocatable(host, workspace.root)):
        _fill_by_helper(plan, host, workspace, plan.base or own, folder, progress)
    else:
        _fill(plan, host, workspace, python=own, target=folder, prefix=folder, progress=progress)
    _write_edits(plan, host, folder)


def _write_edits(plan: Plan, host: Host, folder: str) -> None:
    """Write the plan's files and links into ``folder``, laid out as in the environment."""
    for edit in plan.edits:
        path = posixpath.join(folder, edit.path)
        make_folders(host, posixpath.dirname(path))
        if host.exists(path):
            host.remove(path)
        if edit.target:
            host.link(path, edit.target)
        else:
            # A script stays one that can be started.
            old = posixpath.join(plan.env.path, edit.path)
            entry = host.entry(old) if host.exists(old) else None
            host.write(path, edit.text, mode=entry.mode if entry is not None and entry.kind == "file" else None)


def _is_relocatable(host: Host, root: str) -> bool:
    try:
        return parse_config(host.read_text(posixpath.join(root, CONFIG))).get("relocatable") == "true"
    except OSError:
        return False


def _fill_by_helper(plan: Plan, host: Host, workspace: Workspace, python: str, target: str, progress: Progress) -> None:
    """Fill ``target`` by a virtual environment of ``python`` that is made aside and of which only the packages stay.

    Where the environment's own Python is gone, there is none to install with; and in a relocatable one uv's ``--prefix`` writes scripts that
    look for an absolute path below their own folder (seen with uv 0.13). Scripts made this way find their Python by their own place. A conda
    environment that is built aside would give them the path of a Python that is about to move.
    """
    helper = workspace.helper
    host.remove_tree(helper)
    uv.create_environment(host, path=helper, python=python, prompt=posixpath.basename(workspace.root))
    made = [entry for entry in host.walk(helper) if entry.kind != "directory"]
    _fill(plan, host, workspace, python=posixpath.join(helper, layout(host.platform).python), target=helper, progress=progress)
    # uv leaves the lock that it held.
    for path in (*(entry.path for entry in made), posixpath.join(helper, ".lock")):
        if host.exists(path):
            host.remove(path)
    for entry in reversed([entry for entry in host.walk(helper) if entry.kind == "directory"]):
        if not host.list(entry.path):
            host.remove(entry.path)
    merge(host, helper, target)


def _fill(plan: Plan, host: Host, workspace: Workspace, *, python: str, target: str, progress: Progress, prefix: str = "") -> None:
    """Install the plan's packages and make its links in ``target``: the environment of ``python``, or ``prefix`` in the layout of it."""
    requirements, builders = workspace.inputs
    if plan.builders or plan.checkouts:
        host.write(builders, uv.requirements_text(plan.builders))
    if plan.packages:
        host.write(requirements, uv.requirements_text(plan.packages))
        total = sum(package.unpacked for package in plan.packages)
        progress.start("install", f"Installing {len(plan.packages)} package{'s' * (len(plan.packages) != 1)}", total)
        uv.install(
            host,
            python=python,
            requirements=requirements,
            packages=plan.packages,
            prefix=prefix,
            builders=builders if plan.builders else "",
            indexes=plan.indexes,
            offline=plan.request.offline,
            watch=progress.advance,
        )
        host.remove(requirements)
        progress.finish()
    if plan.checkouts:
        progress.start("install", f"Installing {', '.join(item.name for item in plan.checkouts)}")
        uv.install_checkouts(
            host,
            python=python,
            checkouts=plan.checkouts,
            prefix=prefix,
            builders=builders,
            indexes=plan.indexes,
            offline=plan.request.offline,
            watch=progress.advance,
        )
        progress.finish()
    if plan.builders or plan.checkouts:
        host.remove(builders)
    # uv leaves the lock that it held.
    if target == workspace.stage and host.exists(posixpath.join(target, ".lock")):
        host.remove(posixpath.join(target, ".lock"))
    for link in plan.links:
        path = posixpath.join(target, _site_packages(host, plan), link.path)
        make_folders(host, posixpath.dirname(path))
        if link.text:
            host.write(path, link.text)
        else:
            host.link(path, link.target)


def _site_packages(reader: Reader, plan: Plan) -> str:
    made = layout(reader.platform).site_packages(plan.choice.python)
    return made if plan.kind == "rebuild" else plan.env.site_packages or made
