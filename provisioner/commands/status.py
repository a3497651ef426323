"""The stages of ``tfsetup status`` and ``list``: which environments there are, and what each looks like; nothing of them is started."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from provisioner.base.paths import joined
from provisioner.change.journal import last_record
from provisioner.change.standing import state_words
from provisioner.commands import named
from provisioner.commands.interruption import left_behind, looked
from provisioner.environment import kernels, tensorflow
from provisioner.environment import receipt as receipts
from provisioner.environment.active import existing, is_environment, those_here
from provisioner.environment.installation import is_installation
from provisioner.environment.read import Site, read_site
from provisioner.environment.receipt import Receipt
from provisioner.environment.workspace import Workspace, owner_of
from provisioner.errors import AtWorkError, InputError, TfsetupError
from provisioner.host import Host, Reader, files
from provisioner.model.request import Request
from provisioner.model.status import EnvironmentStatus, Status
from provisioner.session import Session


def status(session: Session, request: Request, *, measured: bool = True) -> Status:
    """Look at the environment that is named by option, variable or file, or at all that are here or that tfsetup made.

    ``measured`` adds up what each takes on disk. Raises ``InputError`` where what was named is no environment and nothing is left of one.
    """
    host = session.host
    made = set(named.made_here(session))
    if request.origins.get("env") == "option":
        root = host.real(request.env)
        with suppress(AtWorkError):
            looked(host, root, lambda: _check_there(host, root, request.env))
        places = {root: "as asked for with --env"}
    else:
        places = _places(host, request, made)
    found = [_seen(host, root, why, made=root in made, measured=measured) for root, why in places.items()]
    return Status(environments=tuple(sorted(found, key=lambda item: (not item.made, item.path))))


def _places(host: Reader, request: Request, made: set[str]) -> dict[str, str]:
    """Return each environment (its real path) with the reason why it is listed; the one that runs tfsetup is none of a person's own."""
    found: dict[str, str] = {}
    own = files.real(host, posixpath.dirname(posixpath.dirname(host.python)))
    for path, why in _candidates(host, request, made):
        root = files.real(host, path)
        if root != own and _is_there(host, root):
            found.setdefault(root, why)
    return found


def _candidates(host: Reader, request: Request, made: set[str]) -> Iterator[tuple[str, str]]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if host.env.get(variable):
            yield joined(host.cwd, host.env[variable]), f"active ({variable})"
    yield from ((path, "made by tfsetup") for path in made)
    origin = request.origins.get("env", "default")
    yield request.env, "in this folder" if origin == "default" else f"named by the {origin}"
    # Of one that is being built, or taken away, the place that it has.
    yield from ((owner_of(path), "in this folder") for path in those_here(host, host.cwd))


def _is_there(host: Reader, root: str) -> bool:
    """True for an environment, and for what an interrupted run left of one."""
    workspace = Workspace(root=root)
    entry = files.entry(host, root)
    if entry is not None and entry.kind == "directory" and is_environment(host, root) and not is_installation(host, root):
        return True
    return any(files.there(host, path) for path in (workspace.aside, workspace.discarded, workspace.journal))


def _check_there(host: Reader, root: str, named_so: str) -> None:
    if not _is_there(host, root):
        existing(host, named_so, hint="`tfsetup list` lists those that are here")
        hint = f"`tfsetup doctor --env {shlex.quote(named_so)}` looks at it; `tfsetup list` lists the environments that are here"
        raise InputError("it is a Python installation itself, not an environment", place=named_so, hint=hint)


def _seen(host: Host, root: str, why: str, *, made: bool, measured: bool) -> EnvironmentStatus:
    try:
        return looked(host, root, lambda: _look(host, root, why, made=made, measured=measured))
    except AtWorkError:
        return EnvironmentStatus(path=root, why=why, made=made, at_work=True)


def _look(host: Host, root: str, why: str, *, made: bool, measured: bool) -> EnvironmentStatus:
    workspace = Workspace(root=root)
    named_kernels = tuple(item.name for item in kernels.of_environment(host, root))
    found = EnvironmentStatus(path=root, why=why, made=made, kernels=named_kernels)
    try:
        site: Site | None = read_site(host, root)
    except (InputError, OSError) as error:
        site, found = None, replace(found, trouble=getattr(error, "message", str(error)))
    receipt = receipts.believed(host, workspace)
    if site is not None and site.state.exists:
        found = _inside(host, found, site, receipt)
    if receipt is not None:
        passed = sum(check.status == "passed" for check in receipt.verification.checks)
        proven = receipt.finished if receipt.verification.passed else ""
        found = replace(found, made=True, verified=proven, checks=passed if proven else 0)
    return _with_way_back(host, workspace, found, measured=measured)


def _inside(host: Reader, found: EnvironmentStatus, site: Site, receipt: Receipt | None) -> EnvironmentStatus:
    """Add what is installed, and what of the set is no longer as it was proven."""
    there = {item.name: item.version for item in site.distributions}
    expected = receipt.plan.expected if receipt is not None else {}
    own = tensorflow.own_of(site.distributions, expected)
    device = ""
    if own is not None:
        cuda = tensorflow.is_cuda_build(host, posixpath.join(site.state.path, site.state.site_packages))
        device = tensorflow.device_of(own.name, tensorflow.purpose(there, receipt), cuda=cuda)
    drift = [
        f"{name} {version} -> {there[name]}" if name in there else f"{name} {version} is gone"
        for name, version in expected.items()
        if there.get(name) != version
    ]
    return replace(
        found,
        kind=site.state.kind,
        python=site.state.python_version,
        tensorflow=own.version if own is not None else "",
        package=own.name if own is not None else "",
        device=device,
        drift=tuple(drift),
    )


def _with_way_back(host: Host, workspace: Workspace, found: EnvironmentStatus, *, measured: bool) -> EnvironmentStatus:
    """Add what undo would do, what an interrupted run left, and the room that all of it takes."""
    try:
        left, last = left_behind(host, workspace), last_record(host, workspace)
    except AtWorkError:
        raise
    except (TfsetupError, OSError) as error:
        return replace(found, trouble=found.trouble or getattr(error, "message", str(error)))
    if left is not None:
        found = replace(found, interrupted=state_words(host, workspace), undo="takes back what the interrupted run had begun")
    elif last is not None:
        found = replace(found, undo="takes the last change back" if last.stood else "removes the environment")
    if not measured:
        return found
    kept = _size(host, workspace.history) if last is not None else 0
    return replace(found, size=_size(host, workspace.root), kept=kept)


def _size(host: Reader, folder: str) -> int:
    """Return the bytes of all files below a folder."""
    return sum(max(host.size(path), 0) for path in host.files_below(folder))
