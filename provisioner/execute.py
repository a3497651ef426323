"""Executing a plan: build aside, move in, prove, write the receipt; or leave everything as it was."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from provisioner import receipt as receipts
from provisioner import recovery
from provisioner.engines import uv
from provisioner.errors import OperationError, StalePlanError
from provisioner.host import Host
from provisioner.journal import Journal, last_record, write
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.progress import SILENT, Progress
from provisioner.receipt import Receipt
from provisioner.site import read_site, recorded_files
from provisioner.transaction import incoming_moves, make_folders, move_in, outgoing_moves
from provisioner.workspace import Workspace

# Before a person is told that somebody else is at work.
PATIENCE_SECONDS = 0.5

Prove = Callable[[str], Verification]


@record
class Executed:
    """What became of a plan: ``kept`` is true when the new state stands, false when the old one was brought back because the proof failed."""

    verification: Verification
    kept: bool


@contextmanager
def holding(host: Host, workspace: Workspace, wait: float, progress: Progress = SILENT) -> Iterator[None]:
    """Hold the environment's lock for at most ``wait`` seconds' waiting; raises ``OperationError`` when another run keeps it.

    A run that was killed may leave an installer or a verification behind, which keeps the lock until it ends by itself.
    """
    make_folders(host, workspace.state)
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
        yield


def execute(plan: Plan, host: Host, *, prove: Prove, progress: Progress, wait: float) -> Executed:
    """Bring the environment into the state of the plan.

    Ends with the new state, proven, or with the old one: every exception leaves the old state behind it (``recovery.take_back``). A process
    that is killed leaves a journal, from which the next run goes on. Raises ``OperationError`` (what failed), ``StalePlanError`` (the
    environment is no longer what the plan was made for).
    """
    workspace = Workspace(root=plan.env.path)
    if plan.env.kind == "venv":
        with holding(host, workspace, wait, progress):
            return _change(plan, host, workspace, prove, progress)
    parents = make_folders(host, posixpath.dirname(workspace.root))
    aside = Workspace(root=workspace.aside)
    with holding(host, aside, wait, progress):
        return _create(plan, host, workspace, parents, prove, progress)


def _create(plan: Plan, host: Host, workspace: Workspace, parents: tuple[str, ...], prove: Prove, progress: Progress) -> Executed:
    aside = Workspace(root=workspace.aside)
    if read_site(host, workspace.root).state.kind not in {"absent", "empty"}:
        host.remove_tree(aside.root)
        raise StalePlanError("an environment has appeared there since the plan was made", place=workspace.root, hint="plan again")
    recovery.sweep(host, aside)
    started = host.now().isoformat(timespec="seconds")
    journal = Journal(number=1, seal=plan.seal, started=started, phase="building", before=plan.env.kind, parents=parents)
    host.remove_tree(workspace.discarded)
    try:
        write(host, aside.journal, journal)
        progress.start("create", f"Making a virtual environment with Python {plan.choice.python}")
        uv.create_environment(host, path=aside.root, python=_interpreter(plan), prompt=posixpath.basename(workspace.root))
        progress.finish()
        _fill(plan, host, aside, posixpath.join(aside.root, "bin", "python"), "", progress)
        journal = replace(journal, phase="moved")
        with host.shielded():
            # The journal goes along: where it is found tells whether the rename was done.
            write(host, aside.journal, journal)
            host.rename(aside.root, workspace.root)
            host.sync(posixpath.dirname(workspace.root))
        return _finish(plan, host, workspace, journal, prove, progress)
    except BaseException:
        with host.shielded():
            recovery.discard_new(host, workspace, journal)
        raise


def _change(plan: Plan, host: Host, workspace: Workspace, prove: Prove, progress: Progress) -> Executed:
    site = read_site(host, workspace.root)
    if site.state.digest != plan.env.digest:
        raise StalePlanError("the environment has changed since the plan was made", place=workspace.root, hint="plan again")
    previous = last_record(host, workspace)
    old = host.read_text(workspace.receipt, limit=1 << 26) if host.exists(workspace.receipt) else ""
    started = host.now().isoformat(timespec="seconds")
    number = previous.number + 1 if previous else 1
    journal = Journal(number=number, seal=plan.seal, started=started, phase="building", before="venv", receipt=old)
    try:
        write(host, workspace.journal, journal)
        make_folders(host, workspace.stage)
        _fill(plan, host, workspace, site.state.python, workspace.stage, progress)
        outgoing = outgoing_moves(host, workspace.root, _doomed(plan, host, workspace))
        incoming, in_the_way = incoming_moves(host, workspace.root, workspace.stage, outgoing)
        journal = replace(journal, phase="moving", outgoing=(*outgoing, *in_the_way), incoming=incoming)
        with host.shielded():
            write(host, workspace.journal, journal)
            move_in(host, workspace, journal)
            journal = replace(journal, phase="moved")
            write(host, workspace.journal, journal)
        return _finish(plan, host, workspace, journal, prove, progress)
    except BaseException:
        with host.shielded():
            recovery.take_back(host, workspace, journal)
        raise


def _interpreter(plan: Plan) -> str:
    if plan.choice.interpreter is None:
        raise OperationError("the plan names no interpreter", hint="plan on the machine itself")
    return plan.choice.interpreter.path


def _doomed(plan: Plan, host: Host, workspace: Workspace) -> set[str]:
    """Return the paths, relative to the environment, of everything that the plan removes or replaces."""
    site = read_site(host, workspace.root)
    going = {(removal.name, removal.version) for removal in plan.removals}
    doomed = {path for removal in plan.removals for path in removal.paths}
    for installed in site.distributions:
        if (installed.name, installed.version) in going:
            doomed.update(recorded_files(host, workspace.root, installed))
    receipt = receipts.read(host, workspace.receipt)
    links = receipt.plan.links if receipt else ()
    doomed.update(posixpath.join(site.state.site_packages, link.path) for link in links)
    return doomed


def _fill(plan: Plan, host: Host, workspace: Workspace, python: str, prefix: str, progress: Progress) -> None:
    """Install the plan's packages and make its links: into the environment itself, or into ``prefix`` in the layout of it."""
    if plan.packages:
        requirements = posixpath.join(workspace.state, "requirements.txt")
        host.write(requirements, uv.requirements_text(plan.packages))
        builders = posixpath.join(workspace.state, "builders.txt") if plan.builders else ""
        if builders:
            host.write(builders, uv.requirements_text(plan.builders))
        total = sum(package.unpacked for package in plan.packages)
        progress.start("install", f"Installing {len(plan.packages)} packages", total)
        uv.install(
            host,
            python=python,
            requirements=requirements,
            packages=plan.packages,
            prefix=prefix,
            builders=builders,
            offline=plan.request.offline,
            watch=progress.advance,
        )
        host.remove(requirements)
        if builders:
            host.remove(builders)
        progress.finish()
    target = prefix or workspace.root
    # uv leaves the lock that it held.
    if prefix and host.exists(posixpath.join(prefix, ".lock")):
        host.remove(posixpath.join(prefix, ".lock"))
    for link in plan.links:
        path = posixpath.join(target, _site_packages(plan), link.path)
        make_folders(host, posixpath.dirname(path))
        if link.text:
            host.write(path, link.text)
        else:
            host.link(path, link.target)


def _site_packages(plan: Plan) -> str:
    return plan.env.site_packages or f"lib/python{plan.choice.python}/site-packages"


def _finish(plan: Plan, host: Host, workspace: Workspace, journal: Journal, prove: Prove, progress: Progress) -> Executed:
    """Prove the new state; then write the receipt, or bring the old state back."""
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    verification = prove(workspace.root)
    progress.finish()
    if not verification.passed:
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
