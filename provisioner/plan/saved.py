"""A saved plan: read, judged as input, and held against what is there now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from provisioner.base.paths import is_inside, is_whole
from provisioner.conda.validate import conda_faults
from provisioner.environment.layout import is_site_packages
from provisioner.environment.read import Site
from provisioner.errors import InputError, StalePlanError
from provisioner.model import codec
from provisioner.model.catalogue import Link, Lock
from provisioner.model.checkout import Checkout
from provisioner.model.facts import Facts
from provisioner.model.plan import Edit, Package, Plan
from provisioner.plan.make import compare, packages_of, stale_of, without
from provisioner.plan.present import NOTHING, Present
from provisioner.plan.seal import SCHEMA, facts_digest, seal

if TYPE_CHECKING:
    from provisioner.plan.neighbours import Around


def load_plan(text: str, *, file: str) -> Plan:
    """Read a saved plan.

    Raises ``InputError`` when it is not one (code 2), ``StalePlanError`` when its content does not match its seal (code 13).
    """
    data = codec.parse_json(text, file=file)
    if isinstance(data, dict) and data.get("schema") != SCHEMA and str(data.get("schema", "")).startswith("tfsetup/plan/"):
        raise StalePlanError("the plan was saved by another generation of tfsetup", place=file, hint="plan again")
    plan = codec.from_data(Plan, data, file=file, schema=SCHEMA)
    if seal(plan) != plan.seal:
        raise StalePlanError("the plan was altered after it was made: its content does not match its seal", place=file, hint="plan again")
    if faults := tuple(_faults(plan)):
        raise InputError("holds what no plan can hold", place=file, faults=faults)
    return plan


def _faults(plan: Plan) -> Iterator[str]:
    """Yield what types alone cannot say. The seal shows that a plan was altered, not who made it; a stranger can seal a plan, too."""
    path = plan.env.path
    if not is_whole(path) or re.search(r"[\ud800-\udc7f\udd00-\udfff]", path):
        yield f"env.path: expected the absolute path of a folder, found {path!r}"
    if plan.env.site_packages and not is_site_packages(plan.env.site_packages):
        yield f"env.site_packages: expected a folder such as lib/python3.11/site-packages, found {plan.env.site_packages!r}"
    if not re.fullmatch(r"3\.\d+", plan.choice.python):
        yield f"choice.python: expected a Python such as 3.11, found {plan.choice.python!r}"
    for number, package in enumerate(plan.packages):
        for name, pattern in (
            ("name", r"[a-z0-9]+(-[a-z0-9]+)*"),
            ("version", r"[A-Za-z0-9.!+_-]+"),
            ("filename", r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"),
            ("sha256", r"[0-9a-f]{64}"),
            ("url", r"(?:(?:https?|file)://[^\s@#]+)?"),
        ):
            if not re.fullmatch(pattern, getattr(package, name)):
                yield f"packages[{number}].{name}: cannot be {getattr(package, name)!r}"
    yield from (f"checkouts[{number}].{why}" for number, item in enumerate(plan.checkouts) for why in checkout_faults(item))
    if (plan.conda is not None) != (plan.request.kind == "conda") or (plan.conda is None) != (plan.choice.road == ""):
        yield "conda: expected for a conda environment, and for no other"
    if plan.kernels:
        yield "kernels: expected none, for `tfsetup kernel` alone registers them"
    if plan.conda is not None:
        yield from conda_faults(plan.conda, path)
    places = [(f"removals[{number}].paths", path) for number, item in enumerate(plan.removals) for path in item.paths]
    places += [(f"links[{number}].path", link.path) for number, link in enumerate(plan.links)]
    for place, path in [*places, *((f"edits[{number}].path", edit.path) for number, edit in enumerate(plan.edits))]:
        if not is_inside(path):
            yield f"{place}: expected a path inside the environment, found {path!r}"


def checkout_faults(item: Checkout) -> Iterator[str]:
    """Yield what of a checkout could be read as an option, or as another place, by what installs it."""
    patterns = {"name": r"[a-z0-9]+(-[a-z0-9]+)*", "commit": r"(?:[0-9a-f]{40}|[0-9a-f]{64})?"}
    if item.commit:
        patterns |= {"url": r"(?:https?|file|ssh)://[^\s#]+", "folder": r"(?:[A-Za-z0-9_][^\s#&]*)?"}
    else:
        patterns |= {"url": "", "folder": r"/[^\n\r\[\]#;]*"}
    for field, pattern in patterns.items():
        if not re.fullmatch(pattern, getattr(item, field)):
            yield f"{field}: cannot be {getattr(item, field)!r}"


def check_fresh(  # noqa: PLR0913, PLR0917 - each is one part of what there is now
    plan: Plan,
    facts: Facts,
    site: Site,
    lock: Lock | None,
    links: tuple[Link, ...],
    edits: tuple[Edit, ...] = (),
    owned: frozenset[str] = frozenset(),
    there: Present = NOTHING,
    around: Around | None = None,
) -> None:
    """Raise ``StalePlanError`` when a saved plan no longer belongs to this machine, this environment or this catalogue.

    ``links`` are those of the catalogue, ``edits`` the files that are written for such a choice, ``owned`` the distributions that conda holds,
    ``there`` what is judged of what is there
    (``conda_plan.check_saved`` looks at conda's packages). What the plan does must follow from the catalogue and the environment, so that a plan
    of unknown origin installs nothing else; only packages that ``--with`` and ``--keep`` asked for are the plan's own. ``lock`` is the set as it is
    exchanged for the sake of what else is there, ``around``.
    """
    if lock is None or lock.digest != plan.lock or not set(plan.links) <= set(links) or not set(plan.edits) <= set(edits):
        raise StalePlanError("the catalogue has changed since the plan was made", hint="plan again")
    if facts_digest(facts, plan.choice.interpreter) != plan.facts:
        raise StalePlanError("the plan was made for another machine, or this one has changed since", hint="plan again on this machine")
    if site.state != plan.env:
        raise StalePlanError("the environment is not what it was when the plan was made", place=plan.env.path, hint="plan again")
    interpreter = plan.choice.interpreter
    fetched = plan.choice.download is not None and plan.choice.download in (facts.downloads.value or ())
    if not site.state.exists and interpreter is not None and not fetched and interpreter not in (facts.interpreters.value or ()):
        gone = "is not there any more" if plan.choice.download is None else "is not there, and uv would not fetch it now"
        raise StalePlanError(f"the Python that the plan names {gone}", place=interpreter.path, hint="plan again")
    if plan.request.extra or plan.request.keep:
        return
    coming = {file.name: there.fitting.get(file.name, file.version) for file in lock.files}
    stale = stale_of(around, coming)
    removals, kept = compare(without(site, owned), lock.files, stale, broken=there.broken, fitting=there.fitting)
    unchanged = {name: version for name, version in coming.items() if name in kept}
    if (plan.removals, (plan.packages, plan.builders), plan.unchanged) != (removals, packages_of(lock, kept), unchanged):
        raise StalePlanError("what the plan does is not what the environment needs now", place=plan.env.path, hint="plan again")


# What two plans of one request may differ in: when they were made, the seal over that, what was free on the disk, what a run had left.
_OF_THE_MOMENT = frozenset({"made", "seal", "warnings", "preflight", "interrupted", "unmended"})
_LONGEST = 60


def differences(saved: Plan, made: Plan) -> tuple[str, ...]:
    """Return what a saved plan says that the one made here and now for the same request does not, a sentence each.

    All of it is compared, words too: what a file says of a proof, a reason or a size is not what was found here.
    """
    found: list[str] = []
    for name in codec.to_data(made):
        if name in _OF_THE_MOMENT:
            continue
        old, new = getattr(saved, name), getattr(made, name)
        if old != new:
            found += _differences(name, old, new)
    return tuple(found)


def _differences(name: str, old: object, new: object) -> list[str]:
    if isinstance(old, tuple) and isinstance(new, tuple):
        gone = [f"{name}: {_short(item)} is not what is found here" for item in old if item not in new]
        return [*gone, *(f"{name}: {_short(item)} is missing" for item in new if item not in old)] or [f"{name}: stand in another order"]
    return [f"{name}: {_short(old)} is not what is found here, which is {_short(new)}"]


def _short(value: object) -> str:
    """Name a value: a package by name and version and where its hash begins, other records by their first words."""
    if isinstance(value, Package):
        return f"{value.name} {value.version} ({value.filename}, sha256 {value.sha256[:12]})"
    text = json.dumps(codec.to_data(value), ensure_ascii=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
