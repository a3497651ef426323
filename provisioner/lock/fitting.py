"""Which target of a team's lock fits a machine, and what a machine lacks for each of the others. Pure: facts and a lock in, a choice out."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from provisioner.base.paths import address_of, is_absolute, is_for_everybody
from provisioner.catalogue.lockfile import digest_of
from provisioner.choose import CatalogueView, choose
from provisioner.choose.channel import UNPROVEN
from provisioner.choose.driver import look
from provisioner.choose.obstacles import listed
from provisioner.choose.platforms import check_cpu, check_libc, check_macos, platform_name, platform_of
from provisioner.choose.versions import some_patch_matches, specifier
from provisioner.conda.specs import virtual_meets, virtual_name
from provisioner.conda.virtual import virtual_packages
from provisioner.errors import InputError, NoProfileError, UsageError
from provisioner.lock.needs import spec_words
from provisioner.model.catalogue import Lock, LockDevice, LockedFile
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, EnvState
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import LockedTarget, TeamFile, TeamLock

# What may stand in the file that an installer reads (PEP 503, PEP 440); anything else could be an option.
_FIELDS = {
    "name": r"[a-z0-9]+(-[a-z0-9]+)*",
    "version": r"[A-Za-z0-9.!+_-]+",
    "filename": r"[A-Za-z0-9][A-Za-z0-9.!+_-]*",
    "sha256": r"[0-9a-f]{64}",
}

# What becomes part of paths and addresses (CEP 26: names, versions and builds of packages).
_CONDA_FIELDS = {
    "name": r"[a-z0-9_][a-z0-9_.-]*",
    "version": r"[A-Za-z0-9.!+_]+",
    "build": r"[A-Za-z0-9.+_]+",
    "subdir": r"noarch|(linux|osx|win)-[a-z0-9]+",
    "filename": r"[A-Za-z0-9_][A-Za-z0-9.!+_-]*",
    "url": r"(https?|file)://[^\s@]+",
    "sha256": r"[0-9a-f]{64}",
}


@record
class Fit:
    """A target that fits, and the choice that goes with it."""

    locked: LockedTarget
    choice: Choice


@record
class Unmet:
    """What a machine lacks for a target: ``code`` of the cause table, "" where it is a matter of what was asked for."""

    target: str
    why: str
    code: str = ""


def fit(facts: Facts, request: Request, catalogue: CatalogueView, env: EnvState, lock: TeamLock, *, name: str = "") -> Fit:
    """Return the target for a machine: the one that is named, else one for its GPU, else the first that fits.

    Raises ``NoProfileError`` with the needs of each target that are not met; also where a target is for the GPU that answers here and cannot be
    used, so that nobody is given the CPU in silence. Raises ``UsageError`` for a ``name`` that the lock has not.
    """
    names = [locked.target.name for locked in lock.targets]
    if name and name not in names:
        raise UsageError("the lock has no such target", place=f"--target {name}", hint=f"it has {listed(names)}")
    found: list[Fit] = []
    refused: list[Unmet] = []
    for locked in lock.targets:
        if name in {"", locked.target.name}:
            judged = _judge(locked, facts, request, catalogue, env)
            if isinstance(judged, Fit):
                found.append(judged)
            else:
                refused += judged
    if request.device == "auto" and not name and look(facts, catalogue).state == "answers":
        found = _for_gpu(found, refused, lock)
    if not found:
        raise _refusal(refused, name)
    best = min(found, key=lambda item: item.choice.device != "cuda")
    others = [item.locked.target.name for item in found if item is not best]
    return replace(best, choice=_reasoned(best, others))


def _for_gpu(found: list[Fit], refused: list[Unmet], lock: TeamLock) -> list[Fit]:
    """Leave the CPU's targets out where the GPU that answers has a target of its own for this platform, which is refused."""
    cuda = {locked.target.name for locked in lock.targets if locked.target.device == "cuda"}
    if any(item.choice.device == "cuda" for item in found) or not any(
        item.target in cuda and item.code != "platform-unsupported" for item in refused
    ):
        return found
    why = "fits, but leaves the GPU unused that answers here: `--device cpu` takes it"
    refused += [Unmet(target=item.locked.target.name, why=why) for item in found]
    return []


def _judge(locked: LockedTarget, facts: Facts, request: Request, catalogue: CatalogueView, env: EnvState) -> Fit | list[Unmet]:
    """Hold one target against the machine; everything that is in the way is named."""
    target = locked.target
    platform = platform_of(facts)
    if target.platform != platform:
        why = f"is for {platform_name(target.platform)}, and this machine is {platform_name(platform)}"
        return [Unmet(target=target.name, why=why, code="platform-unsupported")]
    unmet = [Unmet(target=target.name, why=why) for why in _asked_otherwise(locked, request, env)]
    unmet += _virtual_unmet(locked, facts)
    needs = locked.needs
    checks = (check_libc(facts, needs.glibc), check_macos(facts, needs.macos), check_cpu(facts, needs.cpu_features))
    found = [obstacle for obstacle, _ in checks if obstacle is not None]
    unmet += [Unmet(target=target.name, why=obstacle.why, code=obstacle.code) for obstacle in found]
    try:
        choice = _chosen(locked, facts, request, catalogue, env)
    except NoProfileError as error:
        if not found:
            unmet += [Unmet(target=target.name, why=_plain(refusal), code=error.cause) for refusal in error.refusals or (error.message,)]
        return unmet
    if choice.python != target.python:
        unmet.append(
            Unmet(
                target=target.name, why=f"needs Python {target.python}, and {request.python} is {choice.python}", code="python-unsupported"
            )
        )
    if target.device == "cuda" and request.device == "auto" and look(facts, catalogue).state != "answers":
        driver = f" with driver {needs.driver} or newer" if needs.driver else ""
        why = f"needs an NVIDIA GPU{driver}, and none answers here; `--device cuda` installs it all the same"
        unmet.append(Unmet(target=target.name, why=why, code="gpu-not-visible"))
    warnings = tuple(note for _, note in checks if note)
    return unmet or Fit(locked=locked, choice=replace(choice, warnings=tuple(dict.fromkeys((*choice.warnings, *warnings)))))


def _chosen(locked: LockedTarget, facts: Facts, request: Request, catalogue: CatalogueView, env: EnvState) -> Choice:
    """Return the choice that a target stands for; of what comes from a channel the catalogue knows nothing."""
    target = locked.target
    if target.source == "conda":
        return Choice(
            release=locked.release,
            python=target.python,
            interpreter=None,
            device=target.device,
            platform=target.platform,
            reasons=(),
            refusals=(),
            warnings=(UNPROVEN,),
            gpus=(),
            road="conda",
        )
    python = request.python if is_absolute(request.python) and target.kind == "venv" else f"=={target.python}.*"
    asked = replace(
        request, tensorflow=f"=={locked.release}", python=python, device=target.device, extra=(), kind=target.kind, source="wheels"
    )
    return choose(facts, asked, catalogue, env)


def _virtual_unmet(locked: LockedTarget, facts: Facts) -> Iterator[Unmet]:
    """Hold what conda packages ask of the machine against it; what nobody can tell, or is built for elsewhere, counts as the target's own."""
    if locked.conda is None:
        return
    own = {text.split("=")[0]: text for text in locked.conda.virtual}
    here = {text.split("=")[0]: text for text in virtual_packages(facts, cuda=facts.driver.cuda.value or "")}
    if facts.driver.cuda.value is None:
        here |= {name: text for name, text in own.items() if name == "__cuda"}
    if facts.system.architecture.value == "x86_64" and facts.cpu.level.value is None:
        here |= {name: text for name, text in own.items() if name == "__archspec"}
    for spec in locked.needs.virtual:
        if not virtual_meets(spec, here.values()):
            found = here.get(virtual_name(spec), "nothing of the kind").replace("=0", "").replace("=", " ")
            code = {"__cuda": "driver-too-old", "__archspec": "cpu-no-avx"}.get(virtual_name(spec), "")
            yield Unmet(target=locked.target.name, why=f"has conda packages that need {spec_words(spec)}, and here is {found}", code=code)


def _asked_otherwise(locked: LockedTarget, request: Request, env: EnvState) -> Iterator[str]:
    target = locked.target
    words = {"venv": "a virtual environment", "conda": "a conda environment"}
    if env.exists and env.kind != target.kind:
        yield f"is {words[target.kind]}, and {env.path} is {words[env.kind]}"
    elif not env.exists and request.kind != target.kind and request.origins.get("kind", "default") != "default":
        yield f"is {words[target.kind]}, and `--kind {request.kind}` was asked for"
    if target.kind == "conda" and "/" in request.python:
        yield f"brings its own Python, and `--python {request.python}` was asked for"
    if request.device not in {"auto", target.device}:
        yield f"is for {target.device}, and `--device {request.device}` was asked for"
    spec = "" if "/" in request.python else specifier(request.python, "--python")
    if spec and not some_patch_matches(spec, target.python):
        yield f"is for Python {target.python}, and `--python {request.python}` was asked for"


def _plain(refusal: str) -> str:
    """Return a refusal of the catalogue's without the release that every one of them begins with."""
    return re.sub(r"^TensorFlow \S+: ", "", refusal)


def _refusal(refused: list[Unmet], name: str) -> NoProfileError:
    lines = dict.fromkeys(f"{item.target}: {item.why}{f' [{item.code}]' if item.code else ''}" for item in refused)
    # The target that lacks least is the one that was meant.
    count = Counter(item.target for item in refused)
    first = min(refused, key=lambda item: (item.code == "platform-unsupported", count[item.target]))
    what = f"the target {name} of the lock does not fit this machine" if name else "no target of the lock fits this machine"
    hint = "add a target for this kind of machine to the declaration, and lock it"
    return NoProfileError(f"{what}: {first.target} {first.why}", hint=hint, cause=first.code, refusals=tuple(lines))


def _reasoned(best: Fit, others: list[str]) -> Choice:
    target = best.locked.target
    said = [f"the team's lock has the target {target.name} for such a machine"]
    said += [f"{listed(others)} would fit, too: `--target` names another"] if others else []
    return replace(best.choice, reasons=tuple(said), refusals=())


def _conda_faults(locked: LockedTarget) -> Iterator[str]:
    for package in locked.conda.packages if locked.conda is not None else ():
        for field, pattern in _CONDA_FIELDS.items():
            if not re.fullmatch(pattern, getattr(package, field)):
                yield f"{locked.target.name}: {field} of a conda package cannot be {getattr(package, field)!r}"


def is_known_set(locked: LockedTarget, known: Lock | None, device: LockDevice) -> bool:
    """True where what a lock says to be the known-good set is that set, file by file: a sidecar may say what it likes.

    The set's digest covers names and hashes of its files, so the files themselves prove it, also where the catalogue has another set by now;
    where conda holds some of them, the rest must stand in the catalogue's set of that digest.
    """
    own = [file for file in locked.files if file.profile]
    if not locked.profile:
        return not own
    files = [
        LockedFile(name=file.name, version=file.version, filename=file.filename, sha256=file.sha256, size=0, unpacked=0) for file in own
    ]
    if digest_of(locked.release, locked.target.platform, locked.target.python, device, files) == locked.profile:
        return True
    there = {(file.filename, file.sha256) for file in known.files} if known and known.digest == locked.profile else set()
    return locked.conda is not None and bool(own) and all((file.filename, file.sha256) in there for file in own)


def set_of(locked: LockedTarget, known: Lock | None, folder: str) -> Lock:
    """Return a target of the lock in ``folder`` as the set that is installed; ``known`` is the catalogue's, which tells what its files take on disk.

    Raises ``InputError`` for fields that no lock of this tool holds.
    """
    unpacked = {file.sha256: file.unpacked for file in known.files} if known else {}
    faults = list(_conda_faults(locked)) + [
        f"{locked.target.name}: {field} cannot be {getattr(file, field)!r}"
        for file in (*locked.files, *locked.builders)
        for field, pattern in _FIELDS.items()
        if not re.fullmatch(pattern, getattr(file, field))
    ]
    faults += [
        f"{locked.target.name}: url of {file.name} cannot be {file.url!r}"
        for file in locked.files
        if file.direct and not file.path and not re.fullmatch(r"(?:https?|file)://[^\s@#]+", file.url)
    ]
    faults += [
        f"{locked.target.name}: path of {file.name} cannot be {file.path!r}"
        for file in (*locked.files, *locked.builders)
        if file.path and not (is_for_everybody(file.path) and posixpath.basename(file.path) == file.filename)
    ]
    if faults:
        raise InputError("the lock holds what no lock can hold", faults=tuple(faults))
    pins = "\n".join(f"{name} {version} {sha256}" for name, version, _, sha256 in locked.held)
    pins += "".join(f"\n{item.line}" for item in locked.checkouts)
    pins += "".join(f"\nbuilt with {file.name} {file.version} {file.sha256}" for file in locked.builders)
    return Lock(
        release=locked.release,
        python=locked.target.python,
        platform=locked.target.platform,
        device=locked.target.device,
        glibc=locked.needs.glibc,
        digest=hashlib.sha256(f"{locked.profile}\n{pins}".encode()).hexdigest(),
        files=tuple(_locked_file(file, unpacked, folder) for file in locked.files),
        builders=tuple(_locked_file(file, unpacked, folder) for file in locked.builders),
        checkouts=locked.checkouts,
    )


def _locked_file(file: TeamFile, unpacked: Mapping[str, int], folder: str) -> LockedFile:
    path = address_of(posixpath.normpath(posixpath.join(folder, file.path))) if file.path else ""
    return LockedFile(
        name=file.name,
        version=file.version,
        filename=file.filename,
        sha256=file.sha256,
        size=file.size,
        unpacked=unpacked.get(file.sha256, file.size),
        source=file.source,
        url=path or (file.url if file.direct else ""),
    )
