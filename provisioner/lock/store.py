"""The written lock: all of its files change together, or none does, whatever interrupts.

New files are first written to a folder beside their places. One rename makes that folder the pending change; then each file is moved into
its place, and the folder is removed. A run that finds a pending change finishes it; one that finds an unfinished folder removes it.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
from collections.abc import Iterable, Mapping

from provisioner.base.paths import is_inside
from provisioner.errors import InputError, OperationError
from provisioner.host import Host, Reader
from provisioner.lock import sidecar
from provisioner.model import codec
from provisioner.model.record import record
from provisioner.model.team import TeamLock

# Both lie in the lock's own folder, since a rename is one step only on one file system.
PREPARED = ".tfsetup-lock-new"
PENDING = ".tfsetup-lock-pending"
MANIFEST = "manifest.json"
LIMIT_BYTES = 1 << 26


@record
class _Manifest:
    """What a pending change writes and removes; names, no paths."""

    write: tuple[str, ...]
    remove: tuple[str, ...]


def read_lock(reader: Reader, folder: str) -> TeamLock | None:
    """Return the lock in a folder (absolute), or None where there is none; raises ``InputError`` for one that cannot be read."""
    path = posixpath.join(folder, sidecar.NAME)
    if not reader.exists(path):
        return None
    return sidecar.read(read_file(reader, path), file=path)


def read_file(reader: Reader, path: str) -> str:
    """Read one of the lock's files; raises ``InputError`` when it cannot be read as text."""
    try:
        return reader.read_bytes(path, LIMIT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not text (byte {error.start} is not UTF-8)", place=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path) from None


def write_lock(host: Host, folder: str, lock: TeamLock, files: Mapping[str, str]) -> tuple[str, ...]:
    """Write the files of a lock and its sidecar into ``folder`` (absolute), and remove those of the lock before; return what changed.

    ``files`` are texts by name. Nothing is touched where nothing changes. Raises ``OperationError``; then all is as it was before.
    """
    recover(host, folder)
    before = read_lock_or_nothing(host, folder)
    wanted = {**files, sidecar.NAME: sidecar.write(sidecar.with_written(lock, files))}
    gone = sorted({item.name for item in before.written} - set(wanted)) if before else []
    changed = {name: text for name, text in wanted.items() if _text(host, posixpath.join(folder, name)) != text}
    removed = [name for name in gone if host.exists(posixpath.join(folder, name))]
    if changed or removed:
        _prepare(host, folder, changed, removed)
        _finish(host, folder)
    return (*sorted(changed), *removed)


def read_lock_or_nothing(reader: Reader, folder: str) -> TeamLock | None:
    """Return the lock in a folder; one that cannot be read is about to be replaced, and counts as none."""
    try:
        return read_lock(reader, folder)
    except InputError:
        return None


def recover(host: Host, folder: str) -> bool:
    """Finish a change that was interrupted after it was decided, or remove what was prepared for one; True when there was one."""
    prepared, pending = posixpath.join(folder, PREPARED), posixpath.join(folder, PENDING)
    for path in (prepared, pending):
        if host.exists(path) and host.entry(path).kind != "directory":
            # One may have come with a repository; what lies behind it is not ours to move.
            raise InputError("is no folder of an earlier run", place=path, hint=f"look at it with `ls -l {path}`, and remove it")
    found = host.exists(prepared) or host.exists(pending)
    host.remove_tree(prepared)
    if host.exists(pending):
        _finish(host, folder)
    return found


def _text(reader: Reader, path: str) -> str | None:
    try:
        return reader.read_bytes(path, LIMIT_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _prepare(host: Host, folder: str, changed: Mapping[str, str], removed: Iterable[str]) -> None:
    prepared = posixpath.join(folder, PREPARED)
    try:
        host.make_folder(prepared)
        for name, text in changed.items():
            host.write(posixpath.join(prepared, name), text, durable=True)
        manifest = _Manifest(write=tuple(sorted(changed)), remove=tuple(sorted(removed)))
        host.write(posixpath.join(prepared, MANIFEST), json.dumps(codec.to_data(manifest)), durable=True)
        host.rename(prepared, posixpath.join(folder, PENDING))
    except OSError as error:
        with contextlib.suppress(OSError):
            host.remove_tree(prepared)
        raise OperationError(f"the lock could not be written: {error.strerror}; it is as it was before", place=folder) from None
    host.sync(folder)


def _finish(host: Host, folder: str) -> None:
    """Move what is pending into its places; where that fails, put back what was there."""
    pending = posixpath.join(folder, PENDING)
    path = posixpath.join(pending, MANIFEST)
    if not host.exists(path):
        # The manifest was moved or removed last, so all else is in its place.
        host.remove_tree(pending)
        return
    manifest = codec.from_data(_Manifest, codec.parse_json(read_file(host, path), file=path), file=path)
    names = [*manifest.write, *manifest.remove]
    if any(not is_inside(name) or "/" in name for name in names):
        # A folder of this name may have come with a repository; it shall not reach beyond itself.
        raise InputError("holds names that no lock has", place=path, hint=f"remove the folder {pending}")
    before = {name: _text(host, posixpath.join(folder, name)) for name in names}
    with host.shielded():
        try:
            for name in manifest.write:
                if host.exists(posixpath.join(pending, name)):
                    host.rename(posixpath.join(pending, name), posixpath.join(folder, name))
            for name in manifest.remove:
                if host.exists(posixpath.join(folder, name)):
                    host.remove(posixpath.join(folder, name))
        except OSError as error:
            _put_back(host, folder, before)
            raise OperationError(f"the lock could not be written: {error.strerror}; it is as it was before", place=folder) from None
        host.remove(path)
        host.remove_tree(pending)
        host.sync(folder)


def _put_back(host: Host, folder: str, before: Mapping[str, str | None]) -> None:
    for name, text in before.items():
        place = posixpath.join(folder, name)
        with contextlib.suppress(OSError):
            if text is None and host.exists(place) and host.entry(place).kind == "file":
                host.remove(place)
            elif text is not None and _text(host, place) != text:
                host.write(place, text)
    host.remove_tree(posixpath.join(folder, PENDING))
