"""Reading what repair plans are made from: the release that is installed, its set, the interpreters, and what else is there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from provisioner import __version__
from provisioner.base.names import is_rival, normalise
from provisioner.engines import uv
from provisioner.environment import receipt as receipts
from provisioner.environment.damaged import unowned
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.workspace import ASIDE, Workspace
from provisioner.errors import OperationError
from provisioner.host import Reader
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts, machine_words
from provisioner.model.finding import Finding, Repair
from provisioner.model.json_text import read_json
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.floor import floor_of
from provisioner.plan.links import links_of
from provisioner.plan.make import proof_words
from provisioner.plan.seal import facts_digest
from provisioner.repair.conda_inputs import read_conda_ground, solved
from provisioner.repair.conda_plans import without_owned
from provisioner.repair.known_set import Seen, choose_set, own_name, release_of, staying_owners
from provisioner.repair.plans import Ground, inside, needs_set, repairs_of
from provisioner.session import Session
from provisioner.verify import integrity

# What is taken from a set, or made with the Python of one.
_FROM_SET = frozenset({"restore", "rebuild", "interpreter"})


@record
class Surveyed:
    """The ground of the repair plans, and the facts of the machine for those plans that resolve packages."""

    ground: Ground
    facts: Facts
    receipt: Receipt | None


def survey(session: Session, site: Site, findings: tuple[Finding, ...], request: Request) -> Surveyed:
    """Read what repair plans of the environment are made from.

    Raises ``NoProfileError`` (code 12) when something must be restored and the catalogue has no set for the release that is installed.
    """
    host, catalogue = session.host, session.catalogue
    repairs = repairs_of(findings)
    target = next((repair.target for repair in repairs if repair.kind == "interpreter"), "")
    own_python = site.state.python if host.exists(host.real(site.state.python)) else ""
    facts = session.detect(env=site.state.path, full=False, python=target or own_python)
    receipt = receipts.read(host, Workspace(root=site.state.path).receipt)
    staying = staying_owners(site, repairs)
    own = own_name(staying, receipt)
    if site.state.kind == "conda":
        request = _of_conda(request, receipt)
    release = release_of(host, site, staying, own, repairs, receipt)
    errors = tuple(finding for finding in findings if finding.severity == "error")
    needed = any(repair.kind in _FROM_SET for repair in repairs_of(errors or findings)) or any(needs_set(finding) for finding in errors)
    seen = Seen(site=site, facts=facts, repairs=repairs, receipt=receipt, own=own, release=release, needed=needed)
    choice, lock = choose_set(session, seen, request)
    config = posixpath.join(site.state.path, "pyvenv.cfg")
    links = links_of(catalogue, choice) if lock else ()
    conda = read_conda_ground(session, site, receipt, choice, request, links=links, facts=facts) if site.state.kind == "conda" else None
    if conda is not None and lock is not None:
        lock = without_owned(lock, conda, site)
    ground = Ground(
        tool=__version__,
        made=host.now().isoformat(timespec="seconds"),
        machine=machine_words(facts),
        request=request,
        facts=facts_digest(facts, choice.interpreter),
        catalogue=catalogue.digest,
        cache=uv.cache_folder(host),
        site=site,
        choice=choice,
        lock=lock,
        own=own or (own_of(lock) if lock and lock.files else ""),
        proof=f"its set was {proof_words(catalogue.proof(lock))}" if lock else "nothing of the catalogue is used",
        links=links,
        carried=receipt.plan.links if receipt else (),
        installed=integrity.installed(host, site.state.path),
        markers=_markers(site.state.python_version),
        asides={},
        config=_text(host, config),
        conda=conda,
    )
    return Surveyed(ground=replace(ground, asides=_asides(host, ground, repairs)), facts=facts, receipt=receipt)


def _of_conda(request: Request, receipt: Receipt | None) -> Request:
    """Return the request as it is of a conda environment: with the channels that an earlier run was told of, as that run was."""
    channels = receipt.plan.request.channels if receipt is not None else ()
    return replace(request, kind="conda", channels=request.channels or channels)


def own_of(lock: Lock) -> str:
    """Return the name of TensorFlow's distribution in a set."""
    return next(file.name for file in lock.files if is_rival(file.name))


def _text(reader: Reader, path: str) -> str:
    try:
        return reader.read_text(path)
    except OSError:
        return ""


def _markers(version: str) -> dict[str, str]:
    """Return the environment of PEP 508 for a Python of this version on this machine."""
    from packaging.markers import default_environment  # noqa: PLC0415 - only for repairs

    markers = {key: str(value) for key, value in default_environment().items()}
    if not version:
        return markers
    full = version if version.count(".") > 1 else f"{version}.0"
    names = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "implementation_version": full}
    return {**markers, **names, "python_version": ".".join(version.split(".")[:2]), "python_full_version": full}


def _asides(reader: Reader, ground: Ground, repairs: Iterable[Repair]) -> dict[str, str]:
    """Return for each entry that is to be renamed beside itself the first name that is free; nothing that holds the environment or a home."""
    found: dict[str, str] = {}
    for path in (repair.path for repair in repairs if repair.kind == "move away" and (repair.own or not inside(ground, repair.path))):
        holds = any(
            place == path or place.startswith(path.rstrip("/") + "/") for place in (ground.site.state.path, reader.env.get("HOME", "/"))
        )
        if holds or posixpath.normpath(path) != path or not reader.exists(path) or not reader.writable(posixpath.dirname(path)):
            continue
        number = 1
        while reader.exists(name := path + ASIDE + (f"-{number}" if number > 1 else "")):
            number += 1
        found[path] = name
    return found


def with_restored(session: Session, surveyed: Surveyed, repairs: tuple[Repair, ...], *, own: bool) -> tuple[Ground, tuple[str, ...]]:
    """Return the ground with the files of what the set does not hold under that name, and a sentence for each that could not be had.

    ``own``: whether TensorFlow itself is installed anew, which then keeps the name under which it is installed.
    """
    ground = surveyed.ground
    lock = ground.lock
    if lock is None:
        return ground, ()
    notes: list[str] = []
    if own and lock.files and ground.own not in ground.locked:
        try:
            lock = _with_own(session, surveyed, lock)
        except OperationError:
            name = own_of(lock)
            notes.append(f"{ground.own} {lock.release} could not be had; {name}, the same release, takes its place")
            ground = replace(ground, own=name)
    outside = {
        normalise(repair.name): repair.version for repair in repairs if repair.kind == "restore" and not is_rival(normalise(repair.name))
    }
    there = {item.name: item.version for item in ground.site.distributions}
    pins = {name: version or there.get(name, "") for name, version in outside.items() if name not in ground.locked}
    if pins:
        found, lost = _others(session, surveyed, lock, pins)
        # Of what these need, only what is not there at all comes along.
        files = [file for file in found.files if file.name in ground.locked or file.name in pins or file.name not in there]
        lock = replace(found, files=tuple(files))
        notes.extend(lost)
    return replace(ground, lock=lock), tuple(notes)


def _with_own(session: Session, surveyed: Surveyed, lock: Lock) -> Lock:
    """Return the lock with TensorFlow under the name under which it is installed: out of the set for the other device, or from the index."""
    from provisioner.plan.extras import resolve_own  # noqa: PLC0415 - only where the set has another name for it

    name = surveyed.ground.own
    other = session.catalogue.lock(lock.release, lock.python, lock.platform, "cuda" if lock.device == "cpu" else "cpu")
    file = next((file for file in other.files if file.name == name), None) if other else None
    if file is not None:
        kept = [file for file in lock.files if not is_rival(file.name)]
        return replace(lock, files=tuple(sorted([*kept, file], key=lambda item: item.name)))
    folder = session.folder("resolve", made=True)
    offline = surveyed.ground.request.offline
    return resolve_own(session.host, name, lock, floor=floor_of(surveyed.facts, lock), folder=folder, offline=offline)


def _others(session: Session, surveyed: Surveyed, lock: Lock, pins: dict[str, str]) -> tuple[Lock, tuple[str, ...]]:
    from provisioner.plan.extras import resolve_others  # noqa: PLC0415 - only where something beyond the set is installed

    folder = session.folder("resolve", made=True)
    offline = surveyed.ground.request.offline
    return resolve_others(session.host, pins, lock, floor=floor_of(surveyed.facts, lock), folder=folder, offline=offline)


def with_everything(session: Session, surveyed: Surveyed) -> tuple[Ground, tuple[str, ...]]:
    """Return the ground for an environment made anew: the set, and what else is installed as far as it goes with it; and what is lost."""
    ground, notes = with_restored(session, surveyed, (), own=True)
    if ground.lock is None:
        return ground, notes
    lock = ground.lock
    if ground.conda is not None:
        ground = replace(ground, conda=solved(session, ground.conda, ground.choice, surveyed.facts, ground.request))
    pins: dict[str, str] = {}
    lost: list[str] = []
    for item in ground.site.distributions:
        if item.name in ground.locked or is_rival(item.name) or (ground.conda is not None and item.metadata in ground.conda.own):
            continue
        address = _address(session.host, ground, item)
        if address:
            lost.append(f"{item.name} {item.version} is left out: it was installed from {address}, for which there is no hash")
        else:
            pins[item.name] = item.version
    lock, missing = _others(session, surveyed, lock, pins)
    strays = unowned(session.host, ground.site)
    if strays:
        lost.append(f"what belongs to no package stays behind with the old environment: {', '.join(strays)}")
    return replace(ground, lock=lock), (*notes, *lost, *missing)


def _address(reader: Reader, ground: Ground, item: Installed) -> str:
    """Return where a distribution came from if that was no index (PEP 610)."""
    try:
        data = read_json(_text(reader, posixpath.join(ground.site.state.path, item.metadata, "direct_url.json")))
        return str(data["url"])
    except (ValueError, KeyError, TypeError):
        return ""
