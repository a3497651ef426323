"""The stages of ``tfsetup plan``: facts, what is at the place, the choice, and the plan."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from provisioner.base.paths import is_whole, slashed
from provisioner.change import preflight
from provisioner.commands.interruption import left_behind, looked
from provisioner.conda import registry
from provisioner.environment.active import refuse_own
from provisioner.environment.links import is_there
from provisioner.environment.place import check_place
from provisioner.environment.read import Site, read_site
from provisioner.environment.workspace import Workspace
from provisioner.errors import NoProfileError
from provisioner.host import user_folders
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts
from provisioner.model.plan import EnvState, Interrupted, Plan, Way
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.inputs import read_common
from provisioner.plan.links import links_of
from provisioner.plan.make import ApplyInputs, Picked, make_plan, not_mended, proof_words
from provisioner.plan.pick import (
    Pick,
    named_python,
    of_kind,
    pick_best,
    pick_conda,
    with_conda,
    with_named_python,
    without_credentials,
)
from provisioner.plan.seal import with_seen
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.model.mark import Mark
    from provisioner.plan.kernels import Wish
    from provisioner.plan.neighbours import Around
    from provisioner.plan.present import Present


@record
class Planned:
    """A plan and what was read to make it.

    ``marks`` is what was wrong in the environment. ``interrupted`` is what an earlier run left
    behind, if one did. ``channels`` are the conda channels as they were asked for: with credentials, which no plan holds.
    """

    plan: Plan
    site: Site
    facts: Facts
    lock: Lock
    interrupted: Interrupted | None
    channels: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def pending(self) -> bool:
        """True when there is something to change: by this plan, or by a repair."""
        return self.plan.changes or bool(self.plan.unmended)


@record
class Elsewhere:
    """Another machine, and where a person would stand there: in the folder that its facts were asked for in; the home folder is the one here."""

    facts: Facts
    env: Mapping[str, str]
    cwd: str


def elsewhere(session: Session, facts_file: str) -> Elsewhere:
    """Return the machine that a file of facts is of; raises ``InputError`` for facts that cannot be read."""
    facts = session.read_facts(facts_file)
    root = "C:/" if facts.system.os.value == "windows" else "/"
    volume = facts.disk.environment.value
    folder = slashed(volume.path) if volume is not None and root != "/" else volume.path if volume is not None else ""
    fits = is_whole(folder) and folder.startswith("/") == (root == "/")
    return Elsewhere(facts=facts, env={"HOME": user_folders.home(session.host)}, cwd=folder if fits else root)


@record
class _Read:
    """What was read before anything is chosen; ``request`` fits what is at the place, ``parents`` are folders that must be made above it.

    ``elsewhere`` is true where it is another machine's.
    """

    request: Request
    facts: Facts
    site: Site
    parents: tuple[str, ...] = ()
    interrupted: Interrupted | None = None
    present: Present | None = None
    kernel: Wish | None = None
    elsewhere: bool = False


def plan(
    session: Session, request: Request, *, there: Elsewhere | None = None, pick: Pick | None = None, kernel: Wish | None = None
) -> Planned:
    """Read facts and environment, choose (by ``pick`` in place of the catalogue's best), and compare; nothing is changed.

    With ``kernel`` a notebook kernel is registered, too. Raises ``AtWorkError`` where another run is changing the environment.
    """
    make = partial(_plan, session, request, there=there, pick=pick, kernel=kernel)
    if there:
        return make()
    session.work_on(request.env)
    return looked(session.host, request.env, make)


def _plan(session: Session, request: Request, *, there: Elsewhere | None, pick: Pick | None, kernel: Wish | None) -> Planned:
    read = _read_elsewhere(session, request, there.facts) if there else _read(session, request, remembering=pick is None)
    if kernel is not None:
        from provisioner.plan.kernels import with_package  # noqa: PLC0415 - few plans have one

        read = replace(read, request=with_package(read.request, read.site), kernel=kernel)
    read, picked = _picked_with_python(session, read, pick)
    if kernel is not None and picked.beside == "--with":
        picked = replace(picked, beside=", ".join(read.request.extra))
    facts, site, request = read.facts, read.site, read.request
    request = picked.request or request
    present = _present(session, site, picked.lock, exact=pick is not None)
    read = replace(read, request=request, present=present)
    picked, around = _beside(session, read, picked)
    made = make_plan(_inputs(session, read, picked, around))
    if made.breaking:
        from provisioner.plan.ways import ways  # noqa: PLC0415 - only where something breaks

        found = ways(session, facts, request, site, picked.choice, around) if around is not None else ()
        made = make_plan(_inputs(session, read, picked, around, found))
    checked = preflight.look_elsewhere(made, facts) if read.elsewhere else preflight.look(session.host, made, site)
    return Planned(
        plan=with_seen(made, checked, read.interrupted, not_mended(made, present.marks) if present is not None else ()),
        site=site,
        facts=facts,
        lock=picked.lock,
        interrupted=read.interrupted,
        channels=request.channels,
        marks=present.marks if present is not None else (),
    )


def _picked_with_python(session: Session, read: _Read, pick: Pick | None) -> tuple[_Read, Picked]:
    """Choose what fits; only where no Python that is here does, what uv could fetch is asked, and counts."""
    recorded = read.facts if read.elsewhere else None
    if recorded is not None and recorded.downloads.status != "unknown":
        from provisioner.plan.fetching import unasked  # noqa: PLC0415 - only for facts with them

        read = replace(read, facts=unasked(recorded))
    try:
        return read, _picked(session, read, pick)
    except NoProfileError:
        from provisioner.plan.fetching import with_downloads  # noqa: PLC0415 - only where nothing fits

        facts = with_downloads(session.host, read.facts, read.request, read.site.state, recorded=recorded)
        if facts is None:
            raise
    again = replace(read, facts=facts)
    return again, _picked(session, again, pick)


def _picked(session: Session, read: _Read, pick: Pick | None) -> Picked:
    """Choose what fits; where nothing does, and a run was interrupted, that is said first: what it left may be why."""
    facts, site, request = read.facts, read.site, read.request
    try:
        if pick is not None:
            return pick(facts, request, session.catalogue, site.state)
        if request.kind == "conda":
            return pick_conda(session, facts, request, site)
        return pick_best(session, facts, request, site)
    except NoProfileError as error:
        if read.interrupted is not None:
            from provisioner.change.standing import undo_command  # noqa: PLC0415 - only where a run was interrupted

            error.message = f"an earlier run was interrupted, `{undo_command(site.state.path)}` takes it back; and {error.message}"
        raise


def _present(session: Session, site: Site, lock: Lock, *, exact: bool) -> Present | None:
    """Judge what is there; None where nothing is."""
    if not site.state.exists:
        return None
    from provisioner.plan.present import present  # noqa: PLC0415 - a new environment needs none of it

    return present(session, site, lock, exact=exact)


def _read_elsewhere(session: Session, request: Request, facts: Facts) -> _Read:
    """Take the facts of another machine, where nothing is at the place yet."""
    site = Site(state=EnvState(path=request.env, kind="absent", digest="absent"), distributions=(), leftovers=())
    _check_named(session, request)
    return _Read(request=request, facts=facts, site=site, elsewhere=True)


def _read(session: Session, request: Request, *, remembering: bool) -> _Read:
    host = session.host
    refuse_own(host, request.env)
    site = read_site(host, request.env)
    request = of_kind(host, request, site)
    if remembering and site.state.exists:
        from provisioner.environment import receipt as receipts  # noqa: PLC0415 - as below
        from provisioner.plan.remember import remembered  # noqa: PLC0415 - only for what is there

        request = remembered(request, site, receipts.believed(host, Workspace(root=site.state.path)), session.catalogue)
    parents = check_place(host, site.state)
    left = left_behind(host, Workspace(root=site.state.path))
    request = with_named_python(host, request)
    # Before anything is started or asked.
    _check_named(session, request)
    facts = session.detect(env=request.env, full=False, python=named_python(request))
    return _Read(request=request, facts=facts, site=site, parents=parents, interrupted=left)


def _check_named(session: Session, request: Request) -> None:
    """Ask for the word that what only a file names may need."""
    if request.kind == "conda" or named_python(request):
        from provisioner.commands import named  # noqa: PLC0415 - most requests name no such thing

        session.trust.need(named.of_request(session, request))


def _beside(session: Session, read: _Read, picked: Picked) -> tuple[Picked, Around | None]:
    """Look at what else is installed, and exchange packages of the set for its sake where that may be."""
    site, there = read.site, read.present
    if there is None or picked.choice.road == "conda" or not picked.lock.files:
        # What the channel makes of it, nobody can tell before it is solved.
        return picked, None
    from provisioner.plan.around import beside  # noqa: PLC0415 - only where something may be installed

    lock, moved, around = beside(session, read.facts, site, picked.choice, picked.lock, there, exact=picked.exact, members=picked.members)
    gone = picked.gone
    if around is not None and (around.own or around.residue):
        from provisioner.plan.resolved import beside_set  # noqa: PLC0415 - as above

        gone = {**gone, **beside_set(session, site, lock, around, gone)}
    return replace(picked, lock=lock, moved=(*picked.moved, *moved), gone=gone), around


def _inputs(session: Session, read: _Read, picked: Picked, around: Around | None, ways: tuple[Way, ...] = ()) -> ApplyInputs:
    host, site, lock = session.host, read.site, picked.lock
    proof = proof_words(picked.proof, beside=picked.beside)
    common = read_common(session, without_credentials(read.request), read.facts, site, picked.choice, lock, proof=proof)
    links = links_of(session.catalogue, picked.choice, read.facts)
    packages = posixpath.join(site.state.path, site.state.site_packages)
    inputs = ApplyInputs(
        common=replace(common, indexes=picked.indexes, moved=picked.moved, ways=ways, cache="" if read.elsewhere else common.cache),
        around=around,
        links=links,
        linked=frozenset(link.path for link in links if not read.elsewhere and is_there(host, packages, link)),
        broken=read.present.broken if read.present is not None else {},
        fitting=read.present.fitting if read.present is not None else {},
        parents=read.parents,
        gone=picked.gone,
    )
    if read.kernel is not None:
        from provisioner.plan.kernels import to_register  # noqa: PLC0415 - few plans have one

        found = to_register(host, read.kernel, site, picked.choice)
        inputs = replace(inputs, kernels=found, registered=tuple(registry.words(item) for item in found))
    return with_conda(host, inputs, picked) if picked.conda is not None else inputs
