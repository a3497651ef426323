"""Packages beyond the profile (``--with``): resolved around the known-good set, which stays as it is."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from provisioner.engines import uv
from provisioner.engines.wheels import Wheel, major_minor, pick, read_pylock, supported_tags
from provisioner.errors import OperationError, UsageError
from provisioner.host import Host
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.site import is_rival, normalise

# The distribution that every add-on names when it needs TensorFlow.
TENSORFLOW = "tensorflow"


def check_requirements(extra: tuple[str, ...]) -> None:
    """Raise ``UsageError`` for what is not a plain requirement (PEP 508 without an address), or names TensorFlow itself."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only with --with

    for text in extra:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            first = str(error).splitlines()[0]
            raise UsageError(f"`{text}` is not a requirement: {first}", place="--with", hint="for example --with 'pandas>=2'") from None
        if requirement.url:
            raise UsageError(
                f"`{text}` names an address",
                place="--with",
                hint="only packages of your index can be checked by hash; give a name and versions",
            )
        if is_rival(normalise(requirement.name)):
            raise UsageError(f"`{text}` is TensorFlow itself", place="--with", hint="say which release with --tensorflow")


def resolve_extras(host: Host, extra: tuple[str, ...], lock: Lock, *, floor: str, folder: str, offline: bool) -> Lock:
    """Return the lock with the packages that ``extra`` needs added; its own files stay as they are, and so does its digest.

    ``floor`` is the glibc or macOS of the machine, ``folder`` one of the tool's own that is there. Where an add-on names ``tensorflow`` and the lock
    holds ``tensorflow-cpu``, the latter is replaced by the former (same release, same code for the CPU), since the two share a folder.
    Raises ``UsageError`` (a requirement that is none), ``OperationError`` (they do not fit, or the index cannot be reached).
    """
    check_requirements(extra)
    own = next(file for file in lock.files if is_rival(file.name))
    wheels = _resolve(host, extra, lock, own.name, floor=floor, folder=folder, offline=offline)
    if own.name != TENSORFLOW and TENSORFLOW in wheels:
        wheels = _resolve(host, extra, lock, TENSORFLOW, floor=floor, folder=folder, offline=offline)
        if own.name in wheels:
            raise OperationError(f"the packages need both {TENSORFLOW} and {own.name}, which break each other", place="--with")
    kept = {file.name: file for file in lock.files if file.name != own.name or own.name in wheels}
    files = [*kept.values(), *(_locked(wheel) for name, wheel in wheels.items() if name not in kept)]
    return replace(lock, files=tuple(sorted(files, key=lambda file: file.name)))


def _resolve(
    host: Host, extra: tuple[str, ...], lock: Lock, tensorflow: str, *, floor: str, folder: str, offline: bool
) -> dict[str, Wheel]:
    pins = {file.name: file.version for file in lock.files}
    wanted = [f"{tensorflow}=={lock.release}", *extra]
    limits = [f"{name}=={version}" for name, version in pins.items()] + [f"{TENSORFLOW}=={lock.release}"]
    text = uv.resolve(
        host,
        requirements="\n".join(wanted) + "\n",
        constraints="\n".join(dict.fromkeys(limits)) + "\n",
        folder=folder,
        python=lock.python,
        platform=uv.platform_name(lock.platform, floor),
        offline=offline,
        without=[file.name for file in lock.files if file.source],
    )
    tags = supported_tags(lock.python, lock.platform, major_minor(floor))
    return {name: pick(offered, tags) for name, offered in read_pylock(text).items()}


def _locked(wheel: Wheel) -> LockedFile:
    """Return a resolved wheel as a file of a lock; its sizes are what the index tells, which may be nothing."""
    version = posixpath.basename(wheel.filename).split("-")[1]
    return LockedFile(
        name=wheel.package, version=version, filename=wheel.filename, sha256=wheel.sha256, size=wheel.size, unpacked=wheel.size
    )
