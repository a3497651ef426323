"""The stages of ``tfsetup plan``: facts, what is at the place, the choice, and the plan."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from provisioner import __version__
from provisioner.change.standing import Interrupted, interrupted
from provisioner.commands.interruption import named_first
from provisioner.engines import uv
from provisioner.environment.place import check_place
from provisioner.environment.read import Site, read_site
from provisioner.environment.workspace import Workspace
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts, machine_words
from provisioner.model.plan import EnvState, Plan
from provisioner.model.record import record
from provisioner.plan import make as planning
from provisioner.plan.links import links_of
from provisioner.plan.pick import (
    Pick,
    disk_warnings,
    named_python,
    of_kind,
    pick_best,
    pick_conda,
    with_conda,
    with_named_python,
    without_credentials,
)
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.model.request import Request


@record
class Planned:
    """A plan and what was read to make it.

    ``interrupted`` is what an earlier run left behind, if one did. ``channels`` are the conda channels as they were asked for: with credentials,
    which no plan holds.
    """

    plan: Plan
    site: Site
    facts: Facts
    lock: Lock
    interrupted: Interrupted | None
    channels: tuple[str, ...] = ()


def plan(session: Session, request: Request, *, facts_file: str = "", pick: Pick | None = None) -> Planned:
    """Read facts and environment, choose (by ``pick`` in place of the catalogue's best), and compare; nothing is changed."""
    host, catalogue = session.host, session.catalogue
    if facts_file:
        facts = session.read_facts(facts_file)
        site = Site(state=EnvState(path=request.env, kind="absent", digest="absent"), distributions=(), leftovers=())
        parents: tuple[str, ...] = ()
        left = None
    else:
        with named_first(host, request.env):
            site = read_site(host, request.env)
        request = of_kind(host, request, site)
        parents = check_place(host, site.state)
        left = interrupted(host, Workspace(root=site.state.path))
        request = with_named_python(host, request)
        facts = session.detect(env=request.env, full=False, python=named_python(request))
    if pick is not None:
        picked = pick(facts, request, catalogue, site.state)
    elif request.kind == "conda":
        picked = pick_conda(session, facts, request, site)
    else:
        picked = pick_best(session, facts, request, site.state)
    choice, lock, request = picked.choice, picked.lock, picked.request or request
    links = links_of(catalogue, choice)
    packages_folder = posixpath.join(site.state.path, site.state.site_packages)
    basis = planning.Basis(
        tool=__version__,
        made=host.now().isoformat(timespec="seconds"),
        machine=machine_words(facts),
        request=without_credentials(request),
        facts=facts,
        choice=choice,
        lock=lock,
        proof=picked.proof,
        links=links,
        linked=frozenset(link.path for link in links if host.exists(posixpath.join(packages_folder, link.path))),
        catalogue=catalogue.digest,
        cache=uv.cache_folder(host),
        parents=parents,
        warnings=disk_warnings(facts, lock),
        beside=picked.beside,
        indexes=picked.indexes,
    )
    if picked.conda is not None:
        basis = with_conda(host, basis, picked, site)
    made = planning.make_plan(basis, site)
    return Planned(plan=made, site=site, facts=facts, lock=lock, interrupted=left, channels=request.channels)
