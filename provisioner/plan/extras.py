"""Packages beyond the profile (``--with``): resolved around the known-good set, which stays as it is."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from provisioner.base.names import STAND_INS, TENSORFLOW, is_rival, normalise
from provisioner.base.requirement import name_of, read_requirement
from provisioner.catalogue.limits import stays
from provisioner.engines import uv
from provisioner.engines.uv_failures import finds_nothing
from provisioner.engines.wheels import Wheel, major_minor, pick, read_pylock, supported_tags
from provisioner.errors import NoProfileError, OperationError, UsageError
from provisioner.host import Host
from provisioner.model.catalogue import NO_ADDON, Lock, LockedFile

# How much larger a wheel is unpacked, which an index does not tell: the middle of the catalogue's 5072 (half are at 2.7 to 3.5).
WHEEL_GROWTH = 3.1
Resolve = Callable[..., dict[str, Wheel]]


def check_requirements(extra: tuple[str, ...]) -> None:
    """Raise ``UsageError`` for what is not a plain requirement (PEP 508 without an address), or names TensorFlow itself."""
    for text in extra:
        try:
            requirement = read_requirement(text)
        except ValueError as error:
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


def check_addons(extra: tuple[str, ...], lock: Lock) -> None:
    """Raise ``NoProfileError`` for an add-on that has no release for this TensorFlow."""
    names = [name for name in (name_of(text) for text in extra) if lock.addons.get(name) == NO_ADDON]
    if names:
        message = f"no release of {' or '.join(names)} is for TensorFlow {lock.release}"
        hint = "leave it out, or ask for another TensorFlow: `tfsetup profiles RELEASE` says which add-ons go with one"
        raise NoProfileError(message, hint=hint, cause="extension-abi-mismatch", refusals=(f"TensorFlow {lock.release}: {message}",))


def resolve_extras(
    host: Host, extra: tuple[str, ...], lock: Lock, *, floor: str, folder: str, offline: bool, limits: tuple[str, ...] | None = None
) -> Lock:
    """Return the lock with the packages that ``extra`` needs added; its own files stay as they are, and so does its digest.

    With ``limits`` (requirements) its own packages may come in other versions within these, as few as may be.
    ``floor`` is the glibc or macOS of the machine, ``folder`` one of the tool's own that is there. Add-ons must be of the release that goes
    with this TensorFlow. Where an add-on names ``tensorflow`` and the lock holds another distribution of it, see ``_named_tensorflow``.
    Raises ``UsageError`` (a requirement that is none), ``NoProfileError`` (an add-on that has no release for it), ``OperationError`` (they
    do not fit, or the index cannot be reached).
    """
    check_requirements(extra)
    check_addons(extra, lock)
    own = next(file for file in lock.files if is_rival(file.name))
    resolve = partial(_resolve, host, lock=lock, floor=floor, folder=folder, offline=offline, limits=limits)
    try:
        wheels = resolve((f"{own.name}=={lock.release}", *extra))
    except OperationError:
        # On some platforms no `tensorflow` of this release was ever published; its own distribution stands for it there.
        if own.name not in STAND_INS or _has_tensorflow(resolve, lock):
            raise
        wheels = resolve((f"{own.name}=={lock.release}", *extra), without=(TENSORFLOW,))
    if own.name != TENSORFLOW and TENSORFLOW in wheels:
        wheels = _named_tensorflow(resolve, extra, lock, own.name, wheels)
    kept = {file.name: _exchanged(file, wheels) for file in lock.files if file.name != own.name or own.name in wheels}
    files = [*kept.values(), *(locked(wheel) for name, wheel in wheels.items() if name not in kept)]
    return replace(lock, files=tuple(sorted(files, key=lambda file: file.name)))


def _exchanged(file: LockedFile, wheels: Mapping[str, Wheel]) -> LockedFile:
    """Return the file of a set, or the one that was resolved in another version in its place."""
    other = locked(wheels[file.name]) if file.name in wheels else file
    return file if other.version == file.version else other


def resolve_own(host: Host, name: str, lock: Lock, *, floor: str, folder: str, offline: bool) -> Lock:
    """Return the lock with TensorFlow under another of its names, from the index: the same release, for those who have it installed so.

    Raises ``OperationError`` where the index has no wheel of it, or cannot be reached.
    """
    wheels = _resolve(host, (f"{name}=={lock.release}",), lock=lock, floor=floor, folder=folder, offline=offline)
    files = [*(file for file in lock.files if not is_rival(file.name)), locked(wheels[name])]
    return replace(lock, files=tuple(sorted(files, key=lambda file: file.name)))


def resolve_others(
    host: Host, pins: dict[str, str], lock: Lock, *, floor: str, folder: str, offline: bool, limits: tuple[str, ...] | None = None
) -> tuple[Lock, tuple[str, ...]]:
    """Return the lock with as many of ``pins`` (name to version, "" for any) as go with it, and a sentence for each that does not.

    All at once where that works; otherwise halves, down to the single package, which may come in another version. What goes in none has the set's
    own packages make room, where ``limits`` say how far. Raises ``OperationError`` when the index cannot be reached.
    """
    taken: list[str] = []
    lost: list[str] = []
    room: tuple[str, ...] | None = None

    def fits(wanted: list[str], room: tuple[str, ...] | None) -> Lock | None:
        try:
            return resolve_extras(host, tuple(wanted), lock, floor=floor, folder=folder, offline=offline, limits=room) if wanted else lock
        except UsageError:
            return None
        except OperationError as error:
            # What the cache lacks where the network is forbidden cannot be had now: that is no reason to mend nothing.
            if error.cause and not finds_nothing(error):
                raise
            return None

    def add(names: list[str]) -> None:
        nonlocal room
        exact = [f"{name}=={pins[name]}" if pins[name] else name for name in names]
        if fits([*taken, *exact], room) is not None:
            taken.extend(exact)
        elif len(names) > 1:
            add(names[: len(names) // 2])
            add(names[len(names) // 2 :])
        elif pins[names[0]] and fits([*taken, names[0]], room) is not None:
            taken.append(names[0])
        elif limits is not None and room is None and fits([*taken, *exact], limits) is not None:
            room = limits
            taken.extend(exact)
        else:
            lost.append(f"{names[0]} {pins[names[0]]}".rstrip() + " is left out: no wheel of it goes with the set")

    if pins:
        add(sorted(pins))
    found = fits(taken, room) or lock
    now = {file.name: file.version for file in found.files}
    changed = [f"{name} {pins[name]} becomes {now[name]}: no wheel of {pins[name]} goes with the set" for name in taken if pins.get(name)]
    return found, (*changed, *lost)


def _named_tensorflow(resolve: Resolve, extra: tuple[str, ...], lock: Lock, own: str, wheels: dict[str, Wheel]) -> dict[str, Wheel]:
    """Return the wheels where an add-on names ``tensorflow`` and the lock holds ``own``.

    On Linux ``tensorflow`` takes the place of ``tensorflow-cpu``: same release, same code for the CPU, and the two share a folder. Where
    ``tensorflow`` is only a name that requires ``own`` (Windows: tensorflow-intel, Macs: tensorflow-macos, aarch64: tensorflow-cpu-aws;
    METADATA of these wheels, which hold no module), it comes beside it.
    """
    alone = resolve((f"{TENSORFLOW}=={lock.release}",))
    if own in alone:
        return wheels
    wheels = resolve((f"{TENSORFLOW}=={lock.release}", *extra))
    if own in wheels:
        raise OperationError(f"the packages need both {TENSORFLOW} and {own}, which break each other", place="--with")
    return wheels


def _has_tensorflow(resolve: Resolve, lock: Lock) -> bool:
    """Return whether the index has the distribution ``tensorflow`` of this release for the platform."""
    try:
        resolve((f"{TENSORFLOW}=={lock.release}",))
    except OperationError as error:
        if not finds_nothing(error):
            raise
        return False
    return True


def _resolve(
    host: Host,
    wanted: tuple[str, ...],
    *,
    lock: Lock,
    floor: str,
    folder: str,
    offline: bool,
    without: tuple[str, ...] = (),
    limits: tuple[str, ...] | None = None,
) -> dict[str, Wheel]:
    """Resolve ``wanted`` within the lock's versions, or ``limits``, and the add-ons' limits; what ``without`` names is taken as met."""
    pins = {file.name: file.version for file in lock.files}
    text = uv.resolve(
        host,
        requirements="\n".join(wanted) + "\n",
        constraints=constraints_of(lock, pins, limits, names=(TENSORFLOW,)),
        folder=folder,
        python=lock.python,
        platform=uv.platform_name(lock.platform, floor),
        offline=offline,
        without=[*(file.name for file in lock.files if file.source), *without],
        preferred=pins if limits is not None else None,
    )
    tags = supported_tags(lock.python, lock.platform, major_minor(floor))
    return {name: pick(offered, tags) for name, offered in read_pylock(text).items()}


def constraints_of(lock: Lock, pins: Mapping[str, str], limits: Iterable[str] | None, *, names: Iterable[str]) -> str:
    """Return a file of constraints: the set's packages at their ``pins``, or within ``limits`` where these are given, and its add-ons.

    TensorFlow, under whichever of the ``names``, is of its release; so stays what is never moved (``catalogue.limits.stays``).
    """
    held = [f"{file.name}=={pins[file.name]}" for file in lock.files if limits is None or stays(file)]
    held += [*(limits or ()), *(f"{name}=={lock.release}" for name in names)]
    held += [f"{name}{'<0' if limit == NO_ADDON else limit}" for name, limit in lock.addons.items() if name not in pins]
    return "\n".join(dict.fromkeys(held)) + "\n"


def locked(wheel: Wheel) -> LockedFile:
    """Return a resolved wheel as a file of a lock; its size is what the index tells, which may be nothing, and unpacked it is what wheels are."""
    version = posixpath.basename(wheel.filename).split("-")[1]
    unpacked = int(WHEEL_GROWTH * wheel.size)
    return LockedFile(name=wheel.package, version=version, filename=wheel.filename, sha256=wheel.sha256, size=wheel.size, unpacked=unpacked)
