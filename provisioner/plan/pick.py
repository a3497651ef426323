"""What is picked for a plan: the known-good set, with what conda and ``--with`` add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.base.paths import absolute
from provisioner.choose import choose
from provisioner.choose.policy import check_set
from provisioner.conda import registry
from provisioner.environment.read import Site
from provisioner.errors import InputError, OperationError, UsageError
from provisioner.host import Host
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, EnvState
from provisioner.model.policy import Policy
from provisioner.plan.floor import floor_of
from provisioner.plan.make import ApplyInputs, Picked
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
    from provisioner.model.request import Request

Pick = Callable[["Facts", "Request", "Catalogue", EnvState], Picked]


def without_credentials(request: Request) -> Request:
    """Return the request as a plan may hold it."""
    if not request.channels:
        return request
    from provisioner.engines.rattler import bare  # noqa: PLC0415 - only for conda environments

    return replace(request, channels=tuple(map(bare, request.channels)))


def pick_best(session: Session, facts: Facts, request: Request, site: Site) -> Picked:
    """Take the catalogue's best set for machine and request, with what ``--with`` adds."""
    catalogue = session.catalogue
    choice = choose(facts, request, catalogue, site.state)
    lock = catalogue.lock(choice.release, choice.python, choice.platform, choice.device)
    if lock is None or catalogue.release(choice.release) is None:
        raise OperationError(f"the catalogue has no lock for {choice.release} on Python {choice.python}")
    members = frozenset(file.name for file in lock.files)
    found, beside = _with_runtime(catalogue, facts, choice, lock)
    picked = Picked(choice=choice, lock=found, proof=catalogue.proof(lock), members=members, exact=False, beside=beside)
    if request.keep and site.state.exists:
        return with_all(session, request, picked, facts, site)
    if not request.extra:
        return picked
    words = " and ".join(filter(None, (beside, "--with")))
    return replace(picked, lock=with_extras(session, request, found, facts, site), beside=words)


def _with_runtime(catalogue: Catalogue, facts: Facts, choice: Choice, lock: Lock) -> tuple[Lock, str]:
    """Return the set with the Visual C++ runtime where the machine lacks it, and the name of what came beside it."""
    if not choice.platform.startswith("windows"):
        return lock, ""
    from provisioner.plan.runtime import NAME, with_runtime  # noqa: PLC0415 - only there

    found = with_runtime(catalogue, facts, choice, lock)
    return found, NAME if found != lock else ""


def with_all(session: Session, request: Request, picked: Picked, facts: Facts, site: Site) -> Picked:
    """Resolve all that is installed anew around TensorFlow, with what ``--with`` adds; what conda has installed stays as its solver leaves it."""
    from provisioner.plan.around import read_around, read_room  # noqa: PLC0415 - only with --keep
    from provisioner.plan.resolved import keep_all  # noqa: PLC0415 - as above

    lock = picked.lock
    members = picked.members if picked.members is not None else frozenset(file.name for file in lock.files)
    around, room = read_around(session, site, members), read_room(session, facts, picked.choice, lock)
    words = " and ".join(filter(None, (picked.beside, "--keep", "--with" if request.extra else "")))
    found, gone = keep_all(session, site, lock, around, room, request, floor=floor_of(facts, lock), fixed=picked.owned)
    return replace(picked, lock=found.lock, members=members, moved=found.moved, beside=words, exact=True, gone=gone)


def hold_to_policy(catalogue: Catalogue, request: Request, lock: Lock) -> None:
    """Raise ``NoProfileError`` where the request's policy has something against a set that was chosen otherwise than for this request."""
    release = catalogue.release(lock.release)
    if release is not None and request.policy != Policy():
        check_set(release, lock, catalogue.proof(lock), request.policy, request.cutoff)


def of_kind(host: Host, request: Request, site: Site) -> Request:
    """Return the request as it fits the environment that is there; raises ``InputError`` where that is of another kind, or protected."""
    if site.state.kind == "conda":
        from provisioner.plan import conda  # noqa: PLC0415 - only for conda environments

        return conda.fitting_request(host, request, site)
    if site.state.kind == "venv" and request.kind == "conda":
        hint = "leave --kind out, or choose another --env; a virtual environment is never changed by `--kind conda`"
        raise InputError("it is a virtual environment", place=request.env, hint=hint)
    if request.kind == "venv" and request.origins.get("channel") == "option":
        raise UsageError(
            "a virtual environment takes nothing from a conda channel", place="--channel", hint="add --kind conda, or leave it out"
        )
    return request


def pick_conda(session: Session, facts: Facts, request: Request, site: Site) -> Picked:
    """Take what a conda environment is to be made of, with what ``--with`` adds."""
    from provisioner.plan import conda  # noqa: PLC0415 - only for conda environments

    keeping = request.keep and site.state.exists
    if keeping and request.source == "conda":
        hint = "the same command without --keep: conda's solver keeps what it can, and the plan says what becomes of everything"
        raise UsageError("with --source conda the whole environment is resolved by conda's solver, not by uv", place="--keep", hint=hint)
    picked = conda.pick(session.host, facts, request, session.catalogue, site, repodata=session.folder("conda"))
    if keeping:
        return with_all(session, request, picked, facts, site)
    if not request.extra or picked.choice.road == "conda":
        return picked
    return replace(picked, lock=with_extras(session, request, picked.lock, facts, site), beside=f"{picked.beside} and --with")


def with_conda(host: Host, inputs: ApplyInputs, picked: Picked) -> ApplyInputs:
    """Add the conda half: its packages, the activation files, and what is registered."""
    from provisioner.plan import conda_files  # noqa: PLC0415 - as above

    root = inputs.common.site.state.path
    edits = conda_files.edits(picked.choice, root, inputs.links)
    return replace(
        inputs,
        conda=picked.conda,
        owned=picked.owned,
        edits=edits,
        written=conda_files.written(host, root, edits),
        registered=(*inputs.registered, *(registry.words(item) for item in (picked.conda.registered if picked.conda else ()))),
    )


def named_python(request: Request) -> str:
    """Return the interpreter that a request names by its path, if it does."""
    return request.python if "/" in request.python else ""


def with_named_python(host: Host, request: Request) -> Request:
    """Return the request with a path given as ``--python`` made absolute; raises ``UsageError`` when there is no such file."""
    if "/" not in request.python:
        return request
    path = absolute(request.python, host, "--python")
    if not host.exists(path):
        hint = "`tfsetup detect` lists the Pythons of this machine"
        raise UsageError("there is no such interpreter", place=f"--python {request.python}", hint=hint)
    return replace(request, python=path)


def with_extras(session: Session, request: Request, lock: Lock, facts: Facts, site: Site) -> Lock:
    """Resolve the packages of ``--with`` around the lock; the one part of planning that needs the network."""
    from provisioner.plan.resolved import add_all  # noqa: PLC0415 - only with --with

    return add_all(session, site, lock, request, floor=floor_of(facts, lock))
