"""What the files that a command reads name: held against what this person said, has configured, or made here (``session.trust``)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from provisioner.base.paths import above, joined
from provisioner.base.trials import is_command
from provisioner.commands.named_addresses import of_addresses, of_channels, of_indexes
from provisioner.environment.layout import CONDA, CONFIG, layout
from provisioner.facts import interpreters
from provisioner.host import Reader, files
from provisioner.model.named import Named
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.model.team import LockedTarget
from provisioner.plan.pick import named_python
from provisioner.session import Session
from provisioner.session.known import is_known, recalled, remember

PLAN, ENVIRONMENT = "plan", "environment"
# Where conda reads configuration in an environment (``SEARCH_PATH`` of conda's base/constants.py, and mamba's).
_CONDA_FILES = (".condarc", "condarc", "condarc.d", ".mambarc")
INDEX_BYTES = 1 << 26


def is_own(origin: str) -> bool:
    """True for a value that this person gave, as an option or a variable, or that nobody gave."""
    return origin in {"", "default", "option"} or origin.startswith("variable")


def of_verify(request: Request, file: str) -> Iterator[Named]:
    """Yield the commands that a file says must work: they are started in its folder."""
    why = "it is started in the working folder, with your rights"
    for number, item in enumerate(request.verify):
        if is_command(item):
            yield Named(kind="program", what=f"the command `{item}`", where=f"{file}: verify[{number}]", unusual=why)


def of_request(session: Session, request: Request) -> Iterator[Named]:
    """Yield what the file of the working folder names for a request: an interpreter, conda channels, commands that must work."""
    host = session.host
    yield from of_verify(request, "the declaration")
    origin = request.origins.get("python", "")
    if named_python(request) and not is_own(origin):
        yield from of_program(host, request.python, f"{_file(origin)}: python", posixpath.join(host.cwd))
    origin = request.origins.get("channel", "")
    if request.kind != "conda":
        return
    if not is_own(origin):
        places = [(f"{_file(origin)}: channels[{number}]", channel) for number, channel in enumerate(request.channels)]
        yield from of_channels(session, places)
    elif not request.channels:
        yield from _of_conda_files(session, request)


def _file(origin: str) -> str:
    return origin.removeprefix("file ")


def _of_conda_files(session: Session, request: Request) -> Iterator[Named]:
    """Yield conda's configuration inside an environment that this person neither made nor named: it says which channels are asked."""
    root = session.host.real(request.env)
    there = [name for name in _CONDA_FILES if files.there(session.host, posixpath.join(root, name))]
    where = _where_named(session, request, root)
    if there and where:
        why = "it says which channels are asked, and may have come with the environment"
        yield Named(kind="address", what=posixpath.join(root, there[0]), where=where, unusual=why, instead=f"name it: --env {request.env}")


def of_program(reader: Reader, path: str, where: str, project: str) -> Iterator[Named]:
    """Yield an interpreter that a file names by its path (absolute); it is usual where this machine has it among its own."""
    if interpreters.is_found(reader, path):
        yield Named(kind="program", what=f"the Python {path}", where=where)
        return
    real, own = files.real(reader, path), files.real(reader, project)
    inside = [place for place in (path, real) if own != "/" and place.startswith(f"{own}/")]
    why = f"it lies in the folder of the file itself ({own})" if inside else "it is none of the Pythons that `tfsetup detect` finds here"
    yield Named(
        kind="program", what=f"the Python {path}", where=where, unusual=why, instead=f"name it: --python {path}", apart=bool(inside)
    )


def of_locked(session: Session, locked: LockedTarget, folder: str, file: str) -> Iterator[Named]:
    """Yield what a lock in ``folder`` (absolute) names beside its indexes: archives, repositories, and projects whose build is run."""
    where = f"{file}: {locked.target.name}"
    urls = [item.url for item in locked.files if item.direct and not item.path] + [
        f"git+{item.url}" for item in locked.checkouts if item.commit
    ]
    yield from of_addresses(session, dict.fromkeys(urls, where), where)
    own = [(item.name, "in", item.folder) for item in locked.checkouts if not item.commit]
    own += [(item.name, "from", item.path) for item in locked.files if item.path and item.source]
    for name, place, path in own:
        what = f"the build of {name} {place} {posixpath.normpath(posixpath.join(folder, path))}"
        yield Named(kind="program", what=what, where=where, unusual="to install a project, its own code is run")


def of_plan(session: Session, plan: Plan, file: str) -> Iterator[Named]:
    """Yield what a saved plan names; nothing where this person made it on this machine."""
    if is_own_plan(session, plan):
        return
    request = plan.request
    yield from of_verify(request, file)
    if named_python(request):
        yield from of_program(session.host, request.python, f"{file}: request.python", posixpath.dirname(joined(session.host.cwd, file)))
    yield from of_indexes(session, plan.indexes, file)
    channels = plan.conda.channels if plan.conda is not None else ()
    yield from of_channels(session, [(f"{file}: conda.channels[{number}]", channel) for number, channel in enumerate(channels)])
    yield from of_channels(session, [(f"{file}: request.channels[{number}]", channel) for number, channel in enumerate(request.channels)])


def is_own_plan(session: Session, plan: Plan) -> bool:
    """True for a plan that this person made on this machine."""
    return is_known(session.host, session.cache, PLAN, plan.seal)


def remember_plan(session: Session, plan: Plan) -> None:
    """Note that this person made a plan here, so that applying it needs no more words than applying it at once."""
    remember(session.host, session.cache, PLAN, plan.seal)


def of_environment(session: Session, request: Request, env: str) -> Iterator[Named]:
    """Yield the environment at ``env`` (absolute) where its Python should not be started without a word.

    That is one of another owner, and one that nobody named, activated or made here: only the working folder has it, or a file in it.
    """
    root = session.host.real(env)
    if not files.there(session.host, root):
        return
    where = _where_named(session, request, root)
    owner = _stranger(session.host, root)
    if owner:
        yield Named(kind="environment", what=f"the environment {root}", where=where or "this command", unusual=owner)
    elif where:
        why = "its Python is started, and may have come with the folder"
        instead = f"name it: --env {env}"
        yield Named(kind="environment", what=f"the environment {root}", where=where, unusual=why, instead=instead)


def of_planned_environment(session: Session, plan: Plan, file: str = "") -> Iterator[Named]:
    """Yield the environment of a plan as ``of_environment`` does; what a saved plan (``file``) says of who named it, it may say of itself."""
    request = plan.request
    if file and not is_known(session.host, session.cache, PLAN, plan.seal):
        request = replace(request, origins={"env": f"file {file}"})
    return of_environment(session, request, plan.env.path)


def _where_named(session: Session, request: Request, root: str) -> str:
    """Return what named an environment, "" where this person did: by option or variable, by activating it, or by making it here."""
    host = session.host
    origin = request.origins.get("env", "")
    if origin == "option" or origin.startswith("variable"):
        return ""
    active = [host.env.get(name, "") for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    if any(path and host.real(joined(host.cwd, path)) == root for path in active) or is_made_here(session, root):
        return ""
    if not is_own(origin):
        return f"{_file(origin)}: env"
    return "the repository" if _is_carried(host, root) else ""


def _is_carried(reader: Reader, root: str) -> bool:
    """True where a git repository brings the environment along: its index has files of it, which lists each path in full (gitformat-index)."""
    folder = next((place for place in above(root) if files.there(reader, posixpath.join(place, ".git"))), "")
    if not folder:
        return False
    home = posixpath.join(folder, ".git")
    # In a worktree or a submodule it is a file that says where (gitrepository-layout).
    pointer = files.line(reader, home).removeprefix("gitdir: ") if getattr(files.entry(reader, home), "kind", "") == "file" else ""
    index = posixpath.join(posixpath.normpath(posixpath.join(folder, pointer)) if pointer else home, "index")
    try:
        return f"{posixpath.relpath(root, folder)}/".encode("utf-8", "surrogateescape") in reader.read_bytes(index, INDEX_BYTES)
    except files.FAULTS:
        return False


def _stranger(reader: Reader, root: str) -> str:
    """Say whose an environment is that is neither this user's nor root's, or that anybody may write; "" for one's own."""
    if reader.user < 0:
        return ""
    form = layout(reader.platform)
    inner = [posixpath.dirname(form.pythons[0]), *form.pythons, CONFIG, CONDA, "lib"]
    packages = [
        path
        for folder in ("lib/python3*", "lib/python3*/site-packages")
        for path in files.matches(reader, f"{files.glob_escape(root)}/{folder}")
    ]
    for path in (root, *(posixpath.join(root, name) for name in inner), *packages):
        entry = files.entry(reader, path)
        if entry is not None and files.is_foreign(reader, entry):
            return f"{path} belongs to another user (number {entry.owner}), who decides what its Python does"
        if entry is not None and files.anybody_writes(reader, entry):
            return f"anybody may write {path}, and so decide what its Python does"
    return ""


def remember_environment(session: Session, env: str) -> None:
    """Note that this person made, or agreed to change, the environment at ``env``."""
    if identity := _identity(session.host, env):
        remember(session.host, session.cache, ENVIRONMENT, identity)


def is_made_here(session: Session, root: str) -> bool:
    """True for an environment that this person made, or changed, on this machine."""
    identity = _identity(session.host, root)
    return bool(identity) and is_known(session.host, session.cache, ENVIRONMENT, identity)


def made_here(session: Session) -> tuple[str, ...]:
    """Return the places (absolute) of the environments that this person made, or changed, on this machine; some may be gone by now."""
    return tuple(sorted({identity.rsplit("|", 2)[0] for identity in recalled(session.host, session.cache, ENVIRONMENT)}))


def _identity(reader: Reader, env: str) -> str:
    """The folder itself, so that another one that came into its place is not taken for it."""
    root = files.real(reader, env)
    entry = files.entry(reader, root)
    return f"{root}|{entry.device}|{entry.inode}" if entry is not None else ""
