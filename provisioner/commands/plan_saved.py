"""A saved plan brought back: read, and checked that it still belongs to this machine and environment."""

from __future__ import annotations

from dataclasses import replace

from provisioner import __version__
from provisioner.change import preflight
from provisioner.commands import named
from provisioner.commands import plan as planning
from provisioner.commands.interruption import left_behind
from provisioner.commands.plan import Planned
from provisioner.environment.active import refuse_own
from provisioner.environment.place import check_place
from provisioner.environment.read import read_site
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, StalePlanError
from provisioner.model.plan import Edit, Plan
from provisioner.model.request import Request
from provisioner.plan.around import beside
from provisioner.plan.links import links_of
from provisioner.plan.make import not_mended
from provisioner.plan.pick import hold_to_policy, named_python, of_kind
from provisioner.plan.present import present
from provisioner.plan.runtime import with_runtime
from provisioner.plan.saved import check_fresh, differences, load_plan
from provisioner.session import Session


def load_saved_plan(session: Session, path: str, asked: Request) -> Planned:
    """Read a saved plan and check that it still belongs to this machine and environment (code 13 when not).

    Of what this run is ``asked`` count the conda channels of its own variables and file, and the policy.
    """
    channels = asked.channels
    host, catalogue = session.host, session.catalogue
    saved = load_plan(session.read_input(path, by="tfsetup plan -o"), file=path)
    if saved.kind != "apply":
        # What a repair writes and renames follows from an examination, which nobody can check afterwards.
        raise InputError("is a repair, which only the run that made it executes", place=path, hint="run `tfsetup fix`, which examines anew")
    # Before anything is started or asked.
    session.trust.need(named.of_plan(session, saved, path))
    refuse_own(host, saved.env.path)
    site = read_site(host, saved.env.path)
    of_kind(host, saved.request, site)
    check_place(host, site.state)
    facts = session.detect(env=saved.env.path, full=False, python=named_python(saved.request))
    if saved.choice.download is not None:
        from provisioner.plan.fetching import with_downloads  # noqa: PLC0415 - only where a Python is fetched

        facts = with_downloads(host, facts, saved.request, site.state) or facts
    choice = saved.choice
    if saved.tool != __version__:
        raise StalePlanError(f"the plan was made by tfsetup {saved.tool}, this is {__version__}", place=path, hint="plan again")
    links = links_of(catalogue, choice, facts)
    owned: frozenset[str] = frozenset()
    edits: tuple[Edit, ...] = ()
    if saved.conda is not None:
        from provisioner.plan import conda, conda_files  # noqa: PLC0415 - only for conda environments

        lock, owned = conda.check_saved(host, saved, catalogue, site, channels)
        edits = conda_files.edits(choice, site.state.path, links)
    else:
        lock = catalogue.lock(choice.release, choice.python, choice.platform, choice.device)
        lock = with_runtime(catalogue, facts, choice, lock) if lock is not None else None
    if lock is not None:
        hold_to_policy(catalogue, asked, lock)
    there = present(session, site, lock, exact=False)
    around = None
    if lock is not None and lock.files:
        lock, _, around = beside(session, facts, site, choice, lock, there, exact=saved.conda is not None)
    check_fresh(saved, facts, site, lock, links, edits, owned, there, around)
    left = left_behind(host, Workspace(root=site.state.path))
    if lock is None:  # pragma: no cover - check_fresh has refused it
        raise StalePlanError("the catalogue has changed since the plan was made", place=path)
    if not named.is_own_plan(session, saved):
        return _made_here(session, saved, path, channels)
    return Planned(
        plan=replace(saved, preflight=preflight.look(host, saved, site), interrupted=left, unmended=not_mended(saved, there.marks)),
        site=site,
        facts=facts,
        lock=lock,
        interrupted=left,
        channels=channels,
        marks=there.marks,
    )


def _made_here(session: Session, saved: Plan, path: str, channels: tuple[str, ...]) -> Planned:
    """Make the plan of a stranger's file anew from its request, and return that one: nothing that the file says is executed or shown.

    Raises ``StalePlanError`` with what the file says otherwise: another package, hash, index, proof, size or reason.
    """
    made = planning.plan(session, replace(saved.request, channels=channels or saved.request.channels))
    if found := differences(saved, made.plan):
        hint = "plan again here: `tfsetup plan -o FILE` with the same options"
        raise StalePlanError("the plan was not made here, and says what is not found here", place=path, hint=hint, faults=found)
    return made
