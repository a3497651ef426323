"""What a conda environment is to be made of: the choice, the match specs that follow from it, and the solver's answer to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.base.names import normalise
from provisioner.catalogue.conda_tables import newest_cuda
from provisioner.choose import choose
from provisioner.choose.channel import channel_choice, channel_specs, no_channel_build
from provisioner.choose.choosing import situate
from provisioner.conda import registry
from provisioner.conda.compare import TOOLS, as_it_is, compare, leaving, staying
from provisioner.conda.compare import check_saved as check_part
from provisioner.conda.sources import Places, places
from provisioner.conda.virtual import virtual_packages
from provisioner.engines import rattler
from provisioner.environment import receipt as receipts
from provisioner.environment.conda_present import read_present
from provisioner.environment.read import Site
from provisioner.environment.workspace import Workspace
from provisioner.errors import NoProfileError, StalePlanError
from provisioner.host import Host, Reader
from provisioner.model.catalogue import Lock, Proof, Release, set_of
from provisioner.model.conda_package import SUBDIRS, CondaPackage, CondaPart, Present
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, Plan
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.make import Picked

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue


def pick_wheels(host: Host, facts: Facts, request: Request, catalogue: Catalogue, site: Site, places: Places, *, repodata: str) -> Picked:
    """Take the catalogue's best set of wheels, and solve for the conda packages that go with it: Python, and CUDA's libraries where conda has them.

    ``repodata`` is the folder for the channels' lists. Raises ``NoProfileError`` where no set fits, or where the channels cannot meet one.
    """
    choice = choose(facts, request, catalogue, site.state)
    release = catalogue.release(choice.release)
    lock = catalogue.lock(choice.release, choice.python, choice.platform, set_of(choice.device, choice.road))
    if lock is None or release is None:
        raise NoProfileError(f"the catalogue has no set for {choice.release} on Python {choice.python}")
    specs = wheel_specs(choice, release)
    virtual = virtual_packages(facts, cuda=cuda_of(facts, choice, release))
    wheels = frozenset(file.name for file in lock.files)
    solved = solve_part(host, choice, site, places, specs=specs, virtual=virtual, wheels=wheels, repodata=repodata, request=request)
    lock = _without_tools(lock, brought(solved.part, solved.present, solved.going))
    return Picked(
        choice=choice, lock=lock, proof=catalogue.proof(lock), beside="conda", conda=solved.part, owned=solved.present.distributions
    )


def _without_tools(lock: Lock, brought: frozenset[str]) -> Lock:
    """Return the set without the tools that conda brings."""
    return replace(lock, files=tuple(file for file in lock.files if file.name not in TOOLS or file.name not in brought))


def wheel_specs(choice: Choice, release: Release) -> tuple[str, ...]:
    """Return the match specs of what conda brings beside TensorFlow's own wheel."""
    build = next(build for build in release.builds if build.platform == choice.platform)
    libraries = build.cuda.conda if build.cuda is not None and choice.road == "libraries" else ()
    return (f"python {choice.python}.*", *libraries)


def cuda_of(facts: Facts, choice: Choice, release: Release) -> str:
    """Return the CUDA that packages may count on: the driver's; where none answers, that of the build; none for the CPU."""
    if choice.device != "cuda":
        return ""
    build = release.build(choice.platform)
    return facts.driver.cuda.value or (build.cuda.version if build is not None and build.cuda is not None else "")


def brought(part: CondaPart, present: Present, going: Mapping[str, str]) -> frozenset[str]:
    """Return the distributions that conda brings or keeps; a package that is new is called like what it brings, as far as ``TOOLS`` go."""
    kept = {name for name, owner in present.owners.items() if owner not in going}
    return frozenset(kept | {normalise(name) for name in (*part.unchanged, *(package.name for package in part.packages))})


@record
class Solved:
    """The plan's part, and what it was made from: what is there, and which of that leaves, with reasons."""

    part: CondaPart
    present: Present
    going: Mapping[str, str]


def solve_part(  # noqa: PLR0913 - each is one part of the same question
    host: Host,
    choice: Choice,
    site: Site,
    places: Places,
    *,
    specs: Sequence[str],
    virtual: Sequence[str],
    wheels: frozenset[str],
    repodata: str,
    request: Request,
) -> Solved:
    """Solve, and compare with what is there.

    An environment that was made from the same specs, and still has all of it, is not solved again: channels move on, and an environment that is
    as planned does not change for that.
    """
    present = read_present(host, site.state.path) if site.state.kind == "conda" else Present()
    going = leaving(present, wheels)
    made = _made_before(host, site, specs, places) if not going else None
    if made is not None:
        return Solved(part=made, present=present, going=going)
    stays = staying(present, going)
    wanted = {spec.split()[0] for spec in specs}
    solution = rattler.solve(
        host,
        places.channels,
        subdir=SUBDIRS[choice.platform],
        specs=[*specs, *(package.name for package in stays if package.name not in wanted)],
        virtual=virtual,
        repodata=repodata,
        locked=stays,
        offline=request.offline or places.config.offline,
    )
    packages, unchanged, removals = compare(tuple(map(_bare, solution)), present, going)
    part = CondaPart(
        specs=tuple(specs),
        virtual=tuple(virtual),
        channels=places.shown,
        packages=packages,
        unchanged=unchanged,
        removals=removals,
        cache=places.cache,
    )
    return Solved(part=part, present=present, going=going)


def _bare(package: CondaPackage) -> CondaPackage:
    """Return a package as a plan may hold it, without credentials."""
    return replace(package, url=rattler.bare(package.url), channel=rattler.bare(package.channel))


def _made_before(reader: Reader, site: Site, specs: Sequence[str], places: Places) -> CondaPart | None:
    """Return what this tool made the environment of, where that was asked for in the same words and is there."""
    if site.state.kind != "conda":
        return None
    receipt = receipts.believed(reader, Workspace(root=site.state.path))
    part = receipt.plan.conda if receipt is not None else None
    if part is None or (part.specs, part.channels) != (tuple(specs), places.shown):
        return None
    return as_it_is(part, site.conda)


def pick_channel(host: Host, facts: Facts, request: Request, catalogue: Catalogue, site: Site, places: Places, *, repodata: str) -> Picked:
    """Take everything from the channel: the newest TensorFlow that it has for the machine, as the solver finds it.

    Nobody has proven such a set; what is known of it is what the channel declares. Raises ``NoProfileError`` where the channel has none.
    """
    situation = situate(facts, request, catalogue, site.state)
    table = catalogue.conda()
    if situation.platform not in SUBDIRS or (situation.device == "cuda" and not newest_cuda(table, situation.platform)):
        raise no_channel_build(situation)
    specs = channel_specs(request, situation.device, site.state.python_version)
    cuda = (facts.driver.cuda.value or newest_cuda(table, situation.platform)) if situation.device == "cuda" else ""
    choice = Choice(
        release="",
        python="",
        interpreter=None,
        device=situation.device,
        platform=situation.platform,
        reasons=(),
        refusals=(),
        warnings=(),
        gpus=(),
        road="conda",
    )
    virtual = virtual_packages(facts, cuda=cuda)
    solved = solve_part(host, choice, site, places, specs=specs, virtual=virtual, wheels=frozenset(), repodata=repodata, request=request)
    choice = channel_choice(situation, choice, solved.part, table)
    proof = Proof(lock="", level="resolved")
    return Picked(choice=choice, lock=no_wheels(choice), proof=proof, conda=solved.part, owned=solved.present.distributions)


def no_wheels(choice: Choice) -> Lock:
    """Return the set of wheels of a choice that has none: everything comes from the channel."""
    return Lock(release=choice.release, python=choice.python, platform=choice.platform, device=choice.device, glibc="", files=(), digest="")


def check_saved(host: Host, plan: Plan, catalogue: Catalogue, site: Site, channels: Sequence[str]) -> tuple[Lock | None, frozenset[str]]:
    """Check the conda half of a saved plan, and return the set of wheels and the distributions of conda that the rest of it is checked with.

    ``channels`` are those that this run is given besides conda's configuration. Raises ``StalePlanError`` (``conda_plan.check_saved``).
    """
    choice, part, release = plan.choice, plan.conda, catalogue.release(plan.choice.release)
    if part is None:
        raise StalePlanError("the plan names no conda packages", hint="plan again")
    if choice.road == "conda":
        lock: Lock | None = no_wheels(choice)
        specs = channel_specs(plan.request, choice.device, site.state.python_version)
    else:
        lock = catalogue.lock(choice.release, choice.python, choice.platform, set_of(choice.device, choice.road))
        specs = wheel_specs(choice, release) if release is not None else ()
    known = places(host, replace(plan.request, channels=tuple(channels)), catalogue.conda().channels)
    present = read_present(host, site.state.path) if site.state.kind == "conda" else Present()
    wheels = frozenset(file.name for file in lock.files) if lock is not None else frozenset[str]()
    registered = () if site.state.exists else registry.registration(host, known.config, known.tools, site.state.path)
    check_part(
        part,
        present,
        wheels=wheels,
        specs=specs,
        channels=[rattler.bare(address) for address in rattler.addresses(host, known.channels)],
        registered=registered,
        python=choice.python,
    )
    going = leaving(present, wheels)
    lock = _without_tools(lock, brought(part, present, going)) if lock is not None else None
    return lock, present.distributions
