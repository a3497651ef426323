"""Reading what repair plans are made from: the release that is installed, its set, the interpreters, and what else is there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from provisioner.environment import receipt as receipts
from provisioner.environment.distributions import installed
from provisioner.environment.layout import CONFIG
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.workspace import ASIDE, Workspace
from provisioner.host import Reader, files
from provisioner.judge.markers import markers_of
from provisioner.model.cause import Order
from provisioner.model.finding import Finding, Repair
from provisioner.model.request import Request
from provisioner.plan.inputs import read_common
from provisioner.plan.links import links_of
from provisioner.plan.make import proof_words
from provisioner.plan.pick import hold_to_policy
from provisioner.repair.conda_inputs import read_conda_inputs
from provisioner.repair.conda_plans import without_owned
from provisioner.repair.doable import needs_set, repairs_of
from provisioner.repair.known_set import SetInputs, choose_set, own_name, release_of, staying_owners
from provisioner.repair.model import RepairInputs
from provisioner.repair.restored import own_in
from provisioner.session import Session

# What is taken from a set, or made with the Python of one.
_FROM_SET = frozenset({"restore", "rebuild", "interpreter"})


def read_inputs(session: Session, site: Site, findings: tuple[Finding, ...], request: Request, causes: Order) -> RepairInputs:
    """Read what repair plans of the environment are made from.

    Raises ``NoProfileError`` (code 12) when something must be restored and the catalogue has no set for the release that is installed.
    """
    host, root = session.host, site.state.path
    receipt = receipts.believed(host, Workspace(root=root))
    there = _read_installed(session, site, findings, receipt, causes)
    if site.state.kind == "conda":
        request = _of_conda(request, receipt)
    choice, lock = choose_set(session, there, request)
    if lock is not None and there.needed:
        hold_to_policy(session.catalogue, request, lock)
    links = links_of(session.catalogue, choice, there.facts) if lock else ()
    conda = None
    if site.state.kind == "conda":
        conda = read_conda_inputs(session, site, receipt, choice, request, links=links, facts=there.facts)
        lock = without_owned(lock, conda, site) if lock is not None else None
    proof = f"its set was {proof_words(session.catalogue.proof(lock))}" if lock else "nothing of the catalogue is used"
    inputs = RepairInputs(
        common=read_common(session, request, there.facts, site, choice, lock, proof=proof),
        own=there.own or (own_in(lock) if lock and lock.files else ""),
        links=links,
        carried=receipt.plan.links if receipt else (),
        installed=installed(host, root),
        markers=markers_of(site.state.python_version),
        asides={},
        config=files.read(host, posixpath.join(root, CONFIG), 1 << 20).text or "",
        conda=conda,
        causes=causes,
        members=frozenset(file.name for file in lock.files) if lock else frozenset(),
        companions=session.catalogue.fits().companions,
    )
    return replace(inputs, asides=_asides(host, inputs, there.repairs))


def _read_installed(session: Session, site: Site, findings: tuple[Finding, ...], receipt: Receipt | None, causes: Order) -> SetInputs:
    """Read what a set is chosen from: the machine, and which TensorFlow is there."""
    host = session.host
    repairs = repairs_of(findings)
    target = next((repair.target for repair in repairs if repair.kind == "interpreter"), "")
    own_python = site.state.python if host.exists(host.real(site.state.python)) else ""
    facts = session.detect(env=site.state.path, full=False, python=target or own_python)
    staying = staying_owners(site, repairs)
    own = own_name(staying, receipt)
    release = release_of(host, site, staying, own, repairs, receipt)
    errors = tuple(finding for finding in findings if finding.severity == "error")
    needed = any(repair.kind in _FROM_SET for repair in repairs_of(errors or findings))
    needed = needed or any(needs_set(finding, causes) for finding in errors)
    return SetInputs(site=site, facts=facts, repairs=repairs, receipt=receipt, own=own, release=release, needed=needed)


def _of_conda(request: Request, receipt: Receipt | None) -> Request:
    """Return the request as it is of a conda environment: with the channels that an earlier run was told of, as that run was."""
    channels = receipt.plan.request.channels if receipt is not None else ()
    return replace(request, kind="conda", channels=request.channels or channels)


def _asides(reader: Reader, inputs: RepairInputs, repairs: Iterable[Repair]) -> dict[str, str]:
    """Return for each entry that is to be renamed beside itself the first name that is free; nothing that holds the environment or a home."""
    found: dict[str, str] = {}
    for path in (repair.path for repair in repairs if repair.kind == "move away" and (repair.own or not inputs.inside(repair.path))):
        holds = any(
            place == path or place.startswith(path.rstrip("/") + "/") for place in (inputs.site.state.path, reader.env.get("HOME", "/"))
        )
        if holds or posixpath.normpath(path) != path or not reader.exists(path) or not reader.writable(posixpath.dirname(path)):
            continue
        number = 1
        while reader.exists(name := path + ASIDE + (f"-{number}" if number > 1 else "")):
            number += 1
        found[path] = name
    return found
