"""Executing a plan: build aside, move in, prove, write the receipt; or leave everything as it was."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from provisioner import conda_install, conda_registry, recovery
from provisioner import receipt as receipts
from provisioner.engines import uv
from provisioner.errors import OperationError, StalePlanError
from provisioner.host import Host
from provisioner.journal import Journal, last_record, write
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.progress import SILENT, Progress
from provisioner.receipt import Receipt
from provisioner.salvage import environment_files, files_of, read_broken, replaced
from provisioner.site import Site, parse_config, read_site, recorded_files
from provisioner.transaction import incoming_moves, make_folders, merge, move_in, outgoing_moves
from provisioner.workspace import Workspace

# Before a person is told that somebody else is at work.
PATIENCE_SECONDS = 0.5

Prove = Callable[[str], Verification]
Accept = Callable[[Verification], bool]


def _passed(verification: Verification) -> bool:
    return verification.passed


@record
class Executed:
    """What became of a plan: ``kept`` is true when the new state stands, false when the old one was brought back because the proof failed."""

    verification: Verification
    kept: bool


@record
class _Given:
    """What only the caller knows: the proof, and the conda channels as they were asked for, with credentials, which no plan holds."""

    prove: Prove
    accept: Accept
    channels: tuple[str, ...]


@contextmanager
def holding(host: Host, workspace: Workspace, wait: float, progress: Progress = SILENT) -> Iterator[None]:
    """Hold the environment's lock for at most ``wait`` seconds' waiting; raises ``OperationError`` when another run keeps it.

    A run that was killed may leave an installer or a verification behind, which keeps the lock until it ends by itself.
    """
    made = make_folders(host, workspace.state)
    patience = min(wait, PATIENCE_SECONDS)
    with ExitStack() as stack:
        try:
            try:
                stack.enter_context(host.lock(workspace.lock, wait=patience))
            except BlockingIOError:
                if wait <= patience:
                    raise
                progress.note(f"another tfsetup is at work on {workspace.root}; waiting at most {wait:.0f} s for it")
                stack.enter_context(host.lock(workspace.lock, wait=wait))
        except BlockingIOError:
            raise OperationError(
                "another tfsetup is at work on this environment",
                place=workspace.root,
                hint="wait until it has finished, or give more time with --wait SECONDS",
            ) from None
        except OSError:
            # On a full disk the folder found room and the file did not.
            for folder in reversed(made):
                host.remove(folder)
            raise
        yield


def execute(
    plan: Plan, host: Host, *, prove: Prove, progress: Progress, wait: float, accept: Accept = _passed, channels: tuple[str, ...] = ()
) -> Executed:
    """Bring the environment into the state of the plan; ``accept`` says whether what ``prove`` found lets it stay.

    ``channels`` are the conda channels as they were asked for, with credentials.
    Ends with the new state, proven, or with the old one: every exception leaves the old state behind it (``recovery.take_back``). A process
    that is killed leaves a journal, from which the next run goes on. Raises ``OperationError`` (what failed), ``StalePlanError`` (the
    environment is no longer what the plan was made for).
    """
    workspace = Workspace(root=plan.env.path)
    given = _Given(prove=prove, accept=accept, channels=channels)
    if plan.env.exists:
        with holding(host, workspace, wait, progress):
            return _change(plan, host, workspace, given, progress)
    parents = make_folders(host, posixpath.dirname(workspace.root))
    aside = Workspace(root=workspace.aside)
    with holding(host, aside, wait, progress):
        return _create(plan, host, workspace, parents, given, progress)


def _create(plan: Plan, host: Host, workspace: Workspace, parents: tuple[str, ...], given: _Given, progress: Progress) -> Executed:
    aside = Workspace(root=workspace.aside)
    if read_site(host, workspace.root).state.kind not in {"absent", "empty"}:
        host.remove_tree(aside.root)
        raise StalePlanError("an environment has appeared there since the plan was made", place=workspace.root, hint="plan again")
    recovery.sweep(host, aside)
    started = host.now().isoformat(timespec="seconds")
    outside = plan.conda.registered if plan.conda is not None else ()
    journal = Journal(number=1, seal=plan.seal, started=started, phase="building", before=plan.env.kind, parents=parents, outside=outside)
    host.remove_tree(workspace.discarded)
    try:
        write(host, aside.journal, journal)
        _build(plan, host, aside, given, progress)
        journal = replace(journal, phase="moved")
        with host.shielded():
            # The journal goes along: where it is found tells whether the rename was done.
            write(host, aside.journal, journal)
            host.rename(aside.root, workspace.root)
            for item in outside:
                conda_registry.register(host, item)
            host.sync(posixpath.dirname(workspace.root))
        return _finish(plan, host, workspace, journal, given, progress)
    except BaseException:
        with host.shielded():
            recovery.discard_new(host, workspace, journal)
        raise


def _build(plan: Plan, host: Host, aside: Workspace, given: _Given, progress: Progress) -> None:
    """Make the whole environment aside, as one that will stand at the plan's place."""
    python = posixpath.join(aside.root, "bin", "python")
    if plan.conda is not None:
        conda_install.link(plan, host, aside.root, channels=given.channels, progress=progress)
        if plan.packages or plan.links:
            _fill_by_helper(plan, host, aside, python, aside.root, progress)
        _write_edits(plan, host, aside.root)
        return
    progress.start("create", f"Making a virtual environment with Python {plan.choice.python}")
    uv.create_environment(host, path=aside.root, python=_interpreter(plan), prompt=posixpath.basename(plan.env.path))
    progress.finish()
    _fill(plan, host, aside, python=python, target=aside.root, progress=progress)


def _change(plan: Plan, host: Host, workspace: Workspace, given: _Given, progress: Progress) -> Executed:
    site = _read(plan, host)
    if site.state.digest != plan.env.digest:
        raise StalePlanError("the environment has changed since the plan was made", place=workspace.root, hint="plan again")
    for move in plan.moves:
        if not host.exists(move.path) or host.exists(move.target):
            raise StalePlanError("what was to be moved aside is not as it was", place=move.path, hint="run the same command again")
    previous = last_record(host, workspace)
    old = host.read_text(workspace.receipt, limit=1 << 26) if host.exists(workspace.receipt) else ""
    started = host.now().isoformat(timespec="seconds")
    number = previous.number + 1 if previous else 1
    journal = Journal(number=number, seal=plan.seal, started=started, phase="building", before=plan.env.kind, receipt=old)
    try:
        write(host, workspace.journal, journal)
        make_folders(host, workspace.stage)
        _stage(plan, host, workspace, site, given, progress)
        outgoing = outgoing_moves(host, workspace.root, _doomed(plan, host, workspace, site))
        incoming, in_the_way = incoming_moves(host, workspace.root, workspace.stage, outgoing)
        journal = replace(journal, phase="moving", outgoing=(*outgoing, *in_the_way), incoming=incoming, moves=plan.moves)
        with host.shielded():
            write(host, workspace.journal, journal)
            move_in(host, workspace, journal)
            journal = replace(journal, phase="moved")
            write(host, workspace.journal, journal)
        return _finish(plan, host, workspace, journal, given, progress)
    except BaseException:
        with host.shielded():
            recovery.take_back(host, workspace, journal)
        raise


def _interpreter(plan: Plan) -> str:
    if plan.choice.interpreter is None:
        raise OperationError("the plan names no interpreter", hint="plan on the machine itself")
    return plan.choice.interpreter.path


def _read(plan: Plan, host: Host) -> Site:
    """Read the environment; a repair must be able to work on one that is broken, and nothing else may."""
    return read_site(host, plan.env.path) if plan.kind == "apply" else read_broken(host, plan.env.path)


def _doomed(plan: Plan, host: Host, workspace: Workspace, site: Site) -> set[str]:
    """Return the paths, relative to the environment, of everything that the plan removes or replaces."""
    root = workspace.root
    if plan.kind == "rebuild":
        return environment_files(host, site)
    others = conda_install.staying_files(host, root, plan.conda) if plan.conda is not None else set()
    going = {(removal.name, removal.version) for removal in plan.removals}
    doomed = {path for removal in plan.removals for path in removal.paths}
    leaving = [item for item in site.distributions if (item.name, item.version) in going]
    kept: set[str] = set()
    if plan.kind == "apply":
        for installed in leaving:
            doomed.update(recorded_files(host, root, installed))
    else:
        staying = [item for item in site.distributions if item not in leaving]
        doomed |= files_of(host, root, leaving, staying)
        if plan.conda is not None:
            staying = conda_install.by_wheel(host, root, plan.conda, staying)
            kept = {path for item in staying for path in recorded_files(host, root, item)}
        doomed |= replaced(host, root, workspace.stage, site.state.site_packages, staying, others)
    receipt = receipts.read(host, workspace.receipt)
    links = receipt.plan.links if receipt else ()
    doomed.update(posixpath.join(site.state.site_packages, link.path) for link in links)
    if plan.conda is not None:
        doomed |= conda_install.doomed(host, root, plan.conda, kept)
    return doomed


def _stage(plan: Plan, host: Host, workspace: Workspace, site: Site, given: _Given, progress: Progress) -> None:
    """Put into the stage, laid out as in the environment, what will move in."""
    stage = workspace.stage
    own = site.state.python
    if plan.kind == "rebuild" and plan.conda is None:
        progress.start("create", f"Making a virtual environment with Python {plan.choice.python}")
        uv.create_environment(host, path=stage, python=_interpreter(plan), prompt=posixpath.basename(workspace.root))
        progress.finish()
        _fill(plan, host, workspace, python=posixpath.join(stage, "bin", "python"), target=stage, progress=progress)
    elif plan.conda is not None:
        conda_install.link(plan, host, stage, channels=given.channels, progress=progress)
        linked = posixpath.join(stage, "bin", "python")
        if plan.packages:
            _fill_by_helper(plan, host, workspace, linked if host.exists(linked) else own, stage, progress)
        else:
            _fill(plan, host, workspace, python=own, target=stage, progress=progress)
    elif plan.packages and (plan.base or _is_relocatable(host, workspace.root)):
        _fill_by_helper(plan, host, workspace, plan.base or own, stage, progress)
    else:
        _fill(plan, host, workspace, python=own, target=stage, prefix=stage, progress=progress)
    _write_edits(plan, host, stage)


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
            host.write(path, edit.text, mode=entry.mode if entry is not None and entry.kind == "file" else 0o644)


def _is_relocatable(host: Host, root: str) -> bool:
    try:
        return parse_config(host.read_text(posixpath.join(root, "pyvenv.cfg"))).get("relocatable") == "true"
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
    _fill(plan, host, workspace, python=posixpath.join(helper, "bin", "python"), target=helper, progress=progress)
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
    if plan.packages:
        requirements, builders = workspace.inputs
        host.write(requirements, uv.requirements_text(plan.packages))
        if plan.builders:
            host.write(builders, uv.requirements_text(plan.builders))
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
        if plan.builders:
            host.remove(builders)
        progress.finish()
    # uv leaves the lock that it held.
    if target == workspace.stage and host.exists(posixpath.join(target, ".lock")):
        host.remove(posixpath.join(target, ".lock"))
    for link in plan.links:
        path = posixpath.join(target, _site_packages(plan), link.path)
        make_folders(host, posixpath.dirname(path))
        if link.text:
            host.write(path, link.text)
        else:
            host.link(path, link.target)


def _site_packages(plan: Plan) -> str:
    made = f"lib/python{plan.choice.python}/site-packages"
    return made if plan.kind == "rebuild" else plan.env.site_packages or made


def _finish(plan: Plan, host: Host, workspace: Workspace, journal: Journal, given: _Given, progress: Progress) -> Executed:
    """Prove the new state; then write the receipt, or bring the old state back."""
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    verification = given.prove(workspace.root)
    progress.finish()
    if not given.accept(verification):
        with host.shielded():
            recovery.take_back(host, workspace, journal)
        return Executed(verification=verification, kept=False)
    finished = host.now().isoformat(timespec="seconds")
    receipt = Receipt(tool=plan.tool, started=journal.started, finished=finished, plan=plan, verification=verification)
    with host.shielded():
        make_folders(host, posixpath.dirname(workspace.undo_record(journal.number)))
        write(host, workspace.undo_record(journal.number), journal)
        host.remove_tree(workspace.stage)
        host.write(workspace.receipt, receipts.text(receipt), durable=True)
        host.remove(workspace.journal)
    return Executed(verification=verification, kept=True)
