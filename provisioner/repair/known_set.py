"""Which release is installed in an environment that is to be mended, and which set of the catalogue it is mended from."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.choose import choose
from provisioner.conda.compare import identity_parts
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.environment.receipt import Receipt
from provisioner.environment.tensorflow import device_of as device_of_build
from provisioner.environment.tensorflow import name_of, own_of, purpose, release_without_metadata
from provisioner.errors import NoProfileError
from provisioner.host import Reader
from provisioner.model.catalogue import ComputeDevice, Lock, computes_on, set_of
from provisioner.model.facts import Facts, Interpreter
from provisioner.model.finding import Repair
from provisioner.model.plan import Choice, EnvState
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.conda_solve import no_wheels
from provisioner.plan.fetching import with_downloads
from provisioner.repair.conda_inputs import source_of
from provisioner.session import Session


@record
class SetInputs:
    """What a choice is made from; ``needed``: whether what is graver than a warning cannot be mended without a set."""

    site: Site
    facts: Facts
    repairs: tuple[Repair, ...]
    receipt: Receipt | None
    own: str
    release: str
    needed: bool = True


def staying_owners(site: Site, repairs: Iterable[Repair]) -> tuple[Installed, ...]:
    """Return the distributions of TensorFlow that no repair takes out."""
    going = {(normalise(repair.name), repair.version) for repair in repairs if repair.kind == "remove"}
    return tuple(item for item in site.distributions if is_rival(item.name) and not going & {(item.name, item.version), (item.name, "")})


def own_name(staying: tuple[Installed, ...], receipt: Receipt | None) -> str:
    """Return the name under which TensorFlow is installed: that of an earlier run before the plain one; "" where it is not."""
    return name_of(staying, receipt.plan.expected if receipt is not None else ())


def release_of(
    reader: Reader, site: Site, staying: tuple[Installed, ...], own: str, repairs: tuple[Repair, ...], receipt: Receipt | None
) -> str:
    """Return the release that a repair restores or that is installed; where nothing says it, what else tells it; "" where there is none."""
    named = next((item.version for item in repairs if item.kind == "restore" and item.version and is_rival(normalise(item.name))), "")
    found = own_of(staying, (own,))
    folders = (posixpath.join(site.state.path, site.state.site_packages),) if site.state.site_packages else ()
    return named or (found.version if found is not None else release_without_metadata(reader, folders, receipt))


def choose_set(session: Session, seen: SetInputs, request: Request) -> tuple[Choice, Lock | None]:
    """Return the set of the release that is installed, for the environment's Python if there is one, or else for another of the machine.

    Where nothing must come out of a set, an unknown release is no obstacle.
    """
    if seen.site.state.kind == "conda":
        return _choose_conda(session, seen, request)
    host, catalogue, release = session.host, session.catalogue, seen.release
    short = ".".join(seen.site.state.python_version.split(".")[:2])
    platform = session.platform
    interpreter = interpreter_of(host, seen, short)
    locks = catalogue.locks(release, platform) if release and catalogue.release(release) else ()
    devices = [computes_on(device) for python, device in locks if python == short and device != "cuda-conda"]
    device = device_of(seen)
    device = device if device in devices or not devices else devices[0]
    # Its own Python may be one that nobody else knows, and answer again when what keeps it from starting is away.
    stays = interpreter is not None or any(repair.kind == "move away" for repair in seen.repairs)
    lock = catalogue.lock(release, short, platform, device) if devices and stays else None
    if lock is None and (locks or seen.needed):
        choice, lock = _choose_anew(session, seen, request)
        # For an environment that is there no interpreter is chosen; should it be made anew, it is made with its own.
        return replace(choice, interpreter=choice.interpreter or interpreter_of(host, seen, choice.python)), lock
    choice = Choice(
        release=release,
        python=short or "3",
        interpreter=interpreter,
        device=device,
        platform=platform,
        reasons=("it is the release that is installed" if lock else "it is not touched",),
        refusals=(),
        warnings=(),
        gpus=(),
    )
    return choice, lock


def _choose_conda(session: Session, seen: SetInputs, request: Request) -> tuple[Choice, Lock | None]:
    """Return the set of wheels that goes with conda's Python; none of the catalogue's where TensorFlow itself is the channel's."""
    catalogue = session.catalogue
    source = source_of(session.host, seen.site, seen.receipt)
    device: ComputeDevice = "cuda" if source == "libraries" and not seen.own.endswith("-cpu") else device_of(seen)
    choice = Choice(
        release=seen.release,
        python=".".join(seen.site.state.python_version.split(".")[:2]) or "3",
        interpreter=None,
        device=device,
        platform=session.platform,
        reasons=("it is the release that is installed",),
        refusals=(),
        warnings=(),
        gpus=(),
        road=source,
    )
    if source == "conda":
        return choice, no_wheels(choice)
    known = bool(choice.release) and catalogue.release(choice.release) is not None
    lock = catalogue.lock(choice.release, choice.python, choice.platform, set_of(device, source)) if known else None
    if lock is None and seen.needed:
        return _choose_anew(session, seen, replace(request, device=device))
    return choice, lock


def _choose_anew(session: Session, seen: SetInputs, request: Request) -> tuple[Choice, Lock | None]:
    """Choose as ``plan`` does: a Python for the release that is installed, or where there is none, the best release for the environment."""
    catalogue = session.catalogue
    nowhere = EnvState(path=seen.site.state.path, kind="absent", digest="")
    spec = f"=={seen.release}" if seen.release else of_companions(seen.site)
    wanted = replace(request, tensorflow=spec, python="")
    tries = [(wanted, nowhere)] if seen.release else [(wanted, seen.site.state), (replace(wanted, tensorflow=""), seen.site.state)]
    for attempt, state in tries:
        with contextlib.suppress(NoProfileError):
            choice = choose(seen.facts, attempt, catalogue, state)
            break
    else:
        # Where nothing is known of a release, any for another Python; where one is, its refusal is what a person is told.
        choice = _choose_or_fetch(session, seen, wanted if seen.release else replace(wanted, tensorflow=""), nowhere)
    return choice, catalogue.lock(choice.release, choice.python, choice.platform, set_of(choice.device, choice.road))


def _choose_or_fetch(session: Session, seen: SetInputs, request: Request, nowhere: EnvState) -> Choice:
    """Choose with the Pythons that are here, else with one that uv can fetch, which takes making the environment anew."""
    try:
        return choose(seen.facts, request, session.catalogue, nowhere)
    except NoProfileError:
        rebased = any(repair.kind == "interpreter" for repair in seen.repairs)
        facts = None if rebased else with_downloads(session.host, seen.facts, request, nowhere)
        if facts is None:
            raise
    return choose(facts, request, session.catalogue, nowhere)


def of_companions(site: Site) -> str:
    """Return which releases go with what TensorFlow left behind: its METADATA asks for TensorBoard and, to 2.15, the estimator of its minor."""
    found = [item for name in ("tensorboard", "tensorflow-estimator") for item in site.distributions if item.name == name]
    parts = found[0].version.split(".") if found else []
    return f"=={parts[0]}.{parts[1]}.*" if len(parts) > 1 and parts[0].isdecimal() and parts[1].isdecimal() else ""


def device_of(seen: SetInputs) -> ComputeDevice:
    """Return what the installed build is there for; what a repair restores counts as if it were there."""
    restored = {normalise(repair.name): repair.version for repair in seen.repairs if repair.kind == "restore"}
    there = restored | {item.name: item.version for item in seen.site.distributions}
    conda = {name: version for name, version, _ in map(identity_parts, seen.site.conda)}
    meant = purpose(there, seen.receipt, conda)
    return seen.receipt.plan.choice.device if seen.receipt is not None else device_of_build(seen.own, meant)


def interpreter_of(reader: Reader, seen: SetInputs, short: str) -> Interpreter | None:
    """Return the interpreter that the environment is to have: the one a repair names, its own base, or another of the same version."""
    target = next((repair.target for repair in seen.repairs if repair.kind == "interpreter"), "")
    state = seen.site.state
    real = reader.real(state.python)
    # One at a place where nobody looks for Pythons is known by the environment's own name for it alone, which goes with the environment.
    here = [
        replace(item, path=real, virtual=False) if reader.real(item.path) == real and item.path.startswith(state.path + "/") else item
        for item in seen.facts.interpreters.value or ()
        if item.version.startswith(f"{short}.")
    ]
    found = [item for item in here if _can_carry(item)]
    wanted = [item for item in found if target and reader.real(item.path) == reader.real(target)]
    same = [item for item in found if reader.real(item.path) == real]
    return next(iter((*wanted, *same, *sorted(found, key=lambda item: item.version != state.python_version))), None)


def _can_carry(item: Interpreter) -> bool:
    """True for an interpreter that an environment can be made from."""
    return item.carries and not item.virtual
