"""Executing a plan: build aside, move in, prove, write the receipt; or leave everything as it was."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.base.progress import Progress
from provisioner.change import brought, discarding, fill, in_use, recovery
from provisioner.change.apart import Apart, taken_apart
from provisioner.change.brought import Brought
from provisioner.change.contents import outgoing
from provisioner.change.holding import holding, holding_aside
from provisioner.change.journal import Journal, enter, last_record, write, write_ahead
from provisioner.change.links import check_links
from provisioner.change.moves import incoming_moves, move_in, outgoing_moves
from provisioner.change.places import Places, mounted_folders, used
from provisioner.change.standing import check_beside
from provisioner.conda import registry
from provisioner.environment import receipt as receipts
from provisioner.environment.damaged import read_broken
from provisioner.environment.place import stays
from provisioner.environment.read import Site, read_site
from provisioner.environment.receipt import Receipt
from provisioner.environment.workspace import STATE_MODE, Workspace
from provisioner.errors import HalfwayError, OperationError, StalePlanError, VerificationError
from provisioner.host import Entry, Host
from provisioner.host.files import make_folders
from provisioner.model.conda import Outside
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record

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
    """What only the caller knows: the proof, whether it made a change before, and the conda channels with credentials, which no plan holds."""

    prove: Prove
    accept: Accept
    channels: tuple[str, ...]
    follows: bool


def execute(
    plan: Plan,
    host: Host,
    *,
    prove: Prove,
    progress: Progress,
    wait: float,
    accept: Accept = _passed,
    channels: tuple[str, ...] = (),
    follows: bool = False,
) -> Executed:
    """Bring the environment into the state of the plan; ``accept`` says whether what ``prove`` found lets it stay.

    ``channels`` are the conda channels as they were asked for, with credentials. ``follows`` says that the last change there was made by the same
    command: ``undo`` takes both back.
    Ends with the new state, proven, or with the old one: every exception leaves the old state behind it (``recovery.take_back``). A process
    that is killed leaves a journal, from which the next run goes on. Raises ``OperationError`` (what failed), ``StalePlanError`` (the
    environment is no longer what the plan was made for).
    """
    workspace = Workspace(root=plan.env.path)
    given = _Given(prove=prove, accept=accept, channels=channels, follows=follows)
    inside = stays(plan.env)
    if plan.env.exists or inside:
        with holding(host, workspace, wait, progress, inside=inside):
            return _change(plan, host, workspace, given, progress)
    parents = make_folders(host, posixpath.dirname(workspace.root))
    with holding(host, workspace, wait, progress):
        _check_place(host, workspace)
        aside = Workspace(root=workspace.aside)
        own = _make_aside(host, aside)
        try:
            with holding_aside(host, aside, wait, progress):
                return _create(plan, host, workspace, own, parents, given, progress)
        except OSError:
            # On a full disk the folder found room and the lock in it did not.
            with suppress(OSError):
                host.remove_folder(aside.root)
            raise


def _check_place(host: Host, workspace: Workspace) -> None:
    """Raise ``StalePlanError`` where somebody has made an environment meanwhile."""
    if read_site(host, workspace.root).state.kind not in {"absent", "empty"}:
        raise StalePlanError("an environment has appeared there since the plan was made", place=workspace.root, hint="plan again")


def _make_aside(host: Host, aside: Workspace) -> Entry:
    """Make the folder that a new environment is built in, for this user alone; one that an earlier run of this user left is used again.

    In a folder that others may write, somebody else's of that name is refused (``mkdir`` says whether it was made here).
    """
    try:
        host.make_folder(aside.root, mode=0o700)
    except FileExistsError:
        check_beside(host, aside.root)
    return host.entry(aside.root)


def _check_own(host: Host, own: Entry) -> None:
    """Raise ``OperationError`` where the folder that was built in is another one by now."""
    now = host.entry(own.path)
    if (now.kind, now.device, now.inode, now.owner) != (own.kind, own.device, own.inode, own.owner):
        raise OperationError("somebody has put another folder in its place", place=own.path, hint="choose a folder that only you can write")


def _create(
    plan: Plan, host: Host, workspace: Workspace, own: Entry, parents: tuple[str, ...], given: _Given, progress: Progress
) -> Executed:
    aside = Workspace(root=workspace.aside)
    discarding.sweep(host, aside)
    started = host.now().isoformat(timespec="seconds")
    outside = _outside(plan)
    journal = Journal(number=1, seal=plan.seal, started=started, phase="building", before=plan.env.kind, parents=parents, outside=outside)
    discarding.discard(host, workspace.discarded)
    try:
        write(host, aside.journal, journal)
        fill.build(plan, host, aside, given.channels, progress)
        came = _flushed_and_seen(host, aside.root)
        make_folders(host, posixpath.dirname(aside.brought(1)), mode=STATE_MODE)
        brought.write(host, aside.brought(1), came)
        journal = replace(journal, phase="moved")
        with host.shielded():
            # The journal goes along: where it is found tells whether the rename was done.
            write(host, aside.journal, journal)
            _check_own(host, own)
            host.open_up(aside.root)
            host.rename(aside.root, workspace.root)
            for item in outside:
                registry.register(host, item)
            host.sync(posixpath.dirname(workspace.root))
        return _finish(plan, host, workspace, journal, given, progress)
    except HalfwayError:
        raise
    except BaseException as error:
        recovery.bring_back(host, workspace, journal, error)
        raise


def _flushed_and_seen(host: Host, folder: str) -> Brought:
    """Put all that lies in the folder of a new environment on disk, for installers sync nothing, and return what it is; the one beside the other."""
    with ThreadPoolExecutor(1) as pool:
        flushing = pool.submit(host.flush, folder)
        came = brought.gather(host, folder, moves=None, stayed=())
        flushing.result()
    return came


def _outside(plan: Plan) -> tuple[Outside, ...]:
    """Return what makes a new environment known to conda, and what makes any known to Jupyter."""
    return (*(plan.conda.registered if plan.conda is not None and not plan.env.exists else ()), *plan.kernels)


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
    mounts, outside = mounted_folders(host, workspace), _outside(plan)
    journal = Journal(
        number=number, seal=plan.seal, started=started, phase="building", before=plan.env.kind, receipt=old, outside=outside,
        inside=not plan.env.exists, mounts=mounts, follows=given.follows and previous is not None,
    )  # fmt: skip
    places = Places(workspace, journal)
    try:
        # Where the lock lies beside, nothing has made it yet.
        make_folders(host, workspace.state, mode=STATE_MODE)
        write(host, workspace.journal, journal)
        going = _going(plan, host, places, site) if plan.kind == "apply" else None
        make_folders(host, workspace.stage, mode=STATE_MODE)
        fill.stage(plan, host, workspace, site.state.python, given.channels, progress)
        host.flush(workspace.stage)
        journal = _listed(plan, host, places, site, going, progress)
        _write_brought(host, workspace, journal, site)
        Places(workspace, journal).prepare(host)
        write_ahead(host, workspace, journal, "moved", "undoing", "clearing")
        with host.shielded():
            write(host, workspace.journal, journal)
            journal = replace(move_in(host, workspace, journal), phase="moved")
            enter(host, workspace, journal)
            for item in outside:
                registry.register(host, item)
        return _finish(plan, host, workspace, journal, given, progress)
    except HalfwayError:
        raise
    except BaseException as error:
        recovery.bring_back(host, workspace, journal, error)
        raise


def _listed(plan: Plan, host: Host, places: Places, site: Site, going: Apart | None, progress: Progress) -> Journal:
    """Return the journal of the moves, when the stage is filled; what goes is known before, but for a repair, which trusts nothing in its way."""
    workspace = places.workspace
    going = going or _going(plan, host, places, site)
    incoming, in_the_way = incoming_moves(host, workspace.root, workspace.stage, (*going.names, *going.paths))
    going = going.and_then(taken_apart(host, places.here(host), in_the_way))
    if going.folders:
        count = len(going.folders)
        progress.note(f"{count} folders cannot be renamed here (a lower layer of a container?); their files are moved one by one")
    out = frozenset((*going.names, *going.paths))
    check_links(host, workspace.root, going.names, [item for item in site.distributions if not is_below(item.metadata, out)])
    in_use.check(host, workspace.root, going.names)
    journal = replace(places.journal, phase="moving", outgoing=going.names, incoming=incoming, moves=plan.moves, folders=going.folders)
    return used(workspace, journal)


def _going(plan: Plan, host: Host, places: Places, site: Site) -> Apart:
    """Return what moves out."""
    workspace = places.workspace
    return taken_apart(host, places.here(host), outgoing_moves(host, workspace.root, outgoing(plan, host, workspace, site)))


def _write_brought(host: Host, workspace: Workspace, journal: Journal, site: Site) -> None:
    """Write down what is about to come, and which distributions are left alone, for whoever undoes it."""
    stayed = [item.metadata for item in site.distributions if not is_below(item.metadata, frozenset(journal.went))]
    make_folders(host, posixpath.dirname(workspace.brought(journal.number)), mode=STATE_MODE)
    coming = brought.gather(host, workspace.stage, moves=frozenset(journal.incoming), stayed=stayed)
    brought.write(host, workspace.brought(journal.number), coming)


def _read(plan: Plan, host: Host) -> Site:
    """Read the environment; a repair must be able to work on one that is broken, and nothing else may."""
    return read_site(host, plan.env.path) if plan.kind == "apply" else read_broken(host, plan.env.path)


def _finish(plan: Plan, host: Host, workspace: Workspace, journal: Journal, given: _Given, progress: Progress) -> Executed:
    """Prove the new state; then write the receipt, or bring the old state back."""
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    verification = given.prove(workspace.root)
    progress.finish()
    if not given.accept(verification):
        recovery.bring_back(host, workspace, journal, VerificationError("the verification failed"))
        return Executed(verification=verification, kept=False)
    finished = host.now().isoformat(timespec="seconds")
    receipt = Receipt(tool=plan.tool, started=journal.started, finished=finished, plan=plan, verification=verification)
    with host.shielded():
        # The moves are on disk before anything says that they are done; on some file systems a synced file does not take them along.
        host.flush(workspace.root)
        make_folders(host, posixpath.dirname(workspace.undo_record(journal.number)), mode=STATE_MODE)
        write(host, workspace.undo_record(journal.number), journal)
        # All that takes room comes before the first thing that cannot be taken back.
        host.write(workspace.receipt, receipts.text(receipt), durable=True)
        host.remove_tree(workspace.stage)
        host.remove_tree(workspace.ahead)
        Places(workspace, journal).clear_stage(host)
        recovery.finish(host, workspace)
    return Executed(verification=verification, kept=True)
