"""The stages of each command, in order; the only file that knows the order."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner import __version__, recovery
from provisioner import plan as planning
from provisioner.engines import uv
from provisioner.errors import InputError, OperationError, StalePlanError, UsageError
from provisioner.host import Host
from provisioner.journal import last_record
from provisioner.model import codec
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, Edit, EnvState, Plan
from provisioner.model.record import record
from provisioner.plan import Picked
from provisioner.progress import Progress
from provisioner.site import Site, is_rival, read_site
from provisioner.words import machine_words, size_words
from provisioner.workspace import Workspace, absolute

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
    from provisioner.causes import Messages
    from provisioner.execute import Executed
    from provisioner.model.catalogue import Link
    from provisioner.model.cause import Order
    from provisioner.model.finding import Verification
    from provisioner.model.request import Request
    from provisioner.verify import Expected

FACTS_SCHEMA = "tfsetup/facts/1"
VERIFY_TIMEOUT_SECONDS = 600.0
# Room for the tool's own records and for what a file system rounds up.
DISK_RESERVE = 1.1
# Windows has no version that wheels are tagged with.
NO_FLOOR = "0.0"


@record
class Planned:
    """A plan and what was read to make it.

    ``interrupted`` is what an earlier run left behind, if one did. ``channels`` are the conda channels as they were asked for: with credentials,
    which no plan holds.
    """

    plan: Plan
    site: Site
    facts: Facts
    lock: Lock
    interrupted: recovery.Interrupted | None
    channels: tuple[str, ...] = ()


def cache_folder(host: Host) -> str:
    """Return the tool's own cache folder: TFSETUP_CACHE_DIR, else ``tfsetup`` in the system's (XDG base directories)."""
    given = host.env.get("TFSETUP_CACHE_DIR")
    if given:
        return posixpath.join(host.cwd, given)
    home = host.env.get("HOME") or "/"
    return posixpath.join(host.env.get("XDG_CACHE_HOME") or posixpath.join(home, ".cache"), "tfsetup")


def detect(host: Host, *, env: str, full: bool = True, python: str = "") -> Facts:
    """Gather the facts of this machine; ``python`` is an interpreter that a person named by its path."""
    from provisioner.facts import FactStore, gather  # noqa: PLC0415 - not needed with --facts

    store = FactStore(host, posixpath.join(cache_folder(host), "facts"))
    return gather(host, env=env, cache=uv.cache_folder(host), full=full, store=store, python=python)


def read_facts(host: Host, path: str) -> Facts:
    """Read the facts that ``tfsetup detect --json`` printed; raises ``InputError`` with every fault."""
    from provisioner.facts.checks import faults  # noqa: PLC0415 - only with --facts

    facts = codec.from_data(Facts, codec.parse_json(read_input(host, path), file=path), file=path, schema=FACTS_SCHEMA)
    if found := tuple(faults(facts)):
        raise InputError("holds what no machine can have", place=path, faults=found)
    return facts


def read_input(host: Host, path: str, limit: int = 1 << 26) -> str:
    """Read a file that a person named; raises ``InputError`` when it cannot be read as text."""
    try:
        return host.read_bytes(posixpath.join(host.cwd, path), limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not text (byte {error.start} is not UTF-8)", place=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path) from None


def open_messages(host: Host) -> Messages:
    """Open the messages and words of the causes, which come with the tool (of other profiles only the catalogue is taken)."""
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - not needed by every command
    from provisioner.causes import open_messages as open_them  # noqa: PLC0415 - not needed to plan

    return open_them(host, find_profiles(), cache=host, cache_dir=posixpath.join(cache_folder(host), "catalogue"))


def open_order(host: Host) -> Order:
    """Open the order and the traits of the causes, which come with the tool as their messages do."""
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - as above
    from provisioner.causes import open_order as open_it  # noqa: PLC0415 - only where something is in the way of a plan

    return open_it(host, find_profiles(), cache=host, cache_dir=posixpath.join(cache_folder(host), "catalogue"))


def open_catalogue(host: Host) -> Catalogue:
    """Open the profiles: those in the folder TFSETUP_PROFILES (relative to the working directory), else those that came with the tool."""
    from provisioner.catalogue import Catalogue, find_profiles  # noqa: PLC0415 - not needed by every command

    given = host.env.get("TFSETUP_PROFILES")
    root = posixpath.join(host.cwd, given) if given else find_profiles()
    folder = posixpath.join(cache_folder(host), "catalogue")
    return Catalogue.open(host, root, cache=host, cache_dir=folder, causes=lambda: open_order(host))


Pick = Callable[["Facts", "Request", "Catalogue", EnvState], Picked]


def plan(host: Host, request: Request, *, facts_file: str = "", pick: Pick | None = None) -> Planned:
    """Read facts and environment, choose (by ``pick`` in place of the catalogue's best), and compare; nothing is changed."""
    catalogue = open_catalogue(host)
    if facts_file:
        facts = read_facts(host, facts_file)
        site = Site(state=EnvState(path=request.env, kind="absent", digest="absent"), distributions=(), leftovers=())
        parents: tuple[str, ...] = ()
        left = None
    else:
        site = read_site(host, request.env)
        request = _of_kind(host, request, site)
        parents = _check_place(host, site.state)
        left = recovery.interrupted(host, Workspace(root=site.state.path))
        request = _with_named_python(host, request)
        facts = detect(host, env=request.env, full=False, python=_named_python(request))
    if pick is not None:
        picked = pick(facts, request, catalogue, site.state)
    elif request.kind == "conda":
        picked = _pick_conda(host, facts, request, catalogue, site)
    else:
        picked = _pick(host, facts, request, catalogue, site.state)
    choice, lock, request = picked.choice, picked.lock, picked.request or request
    links = links_of(catalogue, choice)
    packages_folder = posixpath.join(site.state.path, site.state.site_packages)
    basis = planning.Basis(
        tool=__version__,
        made=host.now().isoformat(timespec="seconds"),
        machine=machine_words(facts),
        request=_without_credentials(request),
        facts=facts,
        choice=choice,
        lock=lock,
        proof=picked.proof,
        links=links,
        linked=frozenset(link.path for link in links if host.exists(posixpath.join(packages_folder, link.path))),
        catalogue=catalogue.digest,
        cache=uv.cache_folder(host),
        parents=parents,
        warnings=_disk_warnings(facts, lock),
        beside=picked.beside,
        indexes=picked.indexes,
    )
    if picked.conda is not None:
        basis = _with_conda(host, basis, picked, site)
    made = planning.make_plan(basis, site)
    return Planned(plan=made, site=site, facts=facts, lock=lock, interrupted=left, channels=request.channels)


def _without_credentials(request: Request) -> Request:
    """Return the request as a plan may hold it."""
    if not request.channels:
        return request
    from provisioner.engines.rattler import bare  # noqa: PLC0415 - only for conda environments

    return replace(request, channels=tuple(map(bare, request.channels)))


def _pick(host: Host, facts: Facts, request: Request, catalogue: Catalogue, env: EnvState) -> Picked:
    """Take the catalogue's best set for machine and request, with what ``--with`` adds."""
    from provisioner.choose import choose  # noqa: PLC0415 - not needed by every command

    choice = choose(facts, request, catalogue, env)
    lock = catalogue.lock(choice.release, choice.python, choice.platform, choice.device)
    if lock is None or catalogue.release(choice.release) is None:
        raise OperationError(f"the catalogue has no lock for {choice.release} on Python {choice.python}")
    proof = catalogue.proof(lock)
    if not request.extra:
        return Picked(choice=choice, lock=lock, proof=proof)
    return Picked(choice=choice, lock=_with_extras(host, request, lock, facts), proof=proof, beside="--with")


def _of_kind(host: Host, request: Request, site: Site) -> Request:
    """Return the request as it fits the environment that is there; raises ``InputError`` where that is of another kind, or protected."""
    if site.state.kind == "conda":
        from provisioner import flow_conda  # noqa: PLC0415 - only for conda environments

        return flow_conda.fitting_request(host, request, site)
    if site.state.kind == "venv" and request.kind == "conda":
        hint = "leave --kind out, or choose another --env; a virtual environment is never changed by `--kind conda`"
        raise InputError("it is a virtual environment", place=request.env, hint=hint)
    if request.kind == "venv" and request.origins.get("channel") == "option":
        raise UsageError(
            "a virtual environment takes nothing from a conda channel", place="--channel", hint="add --kind conda, or leave it out"
        )
    return request


def _pick_conda(host: Host, facts: Facts, request: Request, catalogue: Catalogue, site: Site) -> Picked:
    from provisioner import flow_conda  # noqa: PLC0415 - only for conda environments

    picked = flow_conda.pick(host, facts, request, catalogue, site, repodata=posixpath.join(cache_folder(host), "conda"))
    if not request.extra or picked.choice.road == "conda":
        return picked
    return replace(picked, lock=_with_extras(host, request, picked.lock, facts), beside=f"{picked.beside} and --with")


def _with_conda(host: Host, basis: planning.Basis, picked: Picked, site: Site) -> planning.Basis:
    """Add the conda half: its packages, the activation files, and what is registered."""
    from provisioner import conda_registry, flow_conda  # noqa: PLC0415 - only for conda environments

    edits = flow_conda.edits(picked.choice, site.state.path, basis.links)
    return replace(
        basis,
        conda=picked.conda,
        owned=picked.owned,
        edits=edits,
        written=flow_conda.written(host, site.state.path, edits),
        outside=tuple(conda_registry.words(item) for item in picked.conda.registered) if picked.conda else (),
    )


def links_of(catalogue: Catalogue, choice: Choice) -> tuple[Link, ...]:
    """Return the links that a set needs so that every library is found."""
    release = catalogue.release(choice.release)
    build = release.build(choice.platform) if release else None
    if choice.device != "cuda" or build is None or build.cuda is None or choice.road == "conda":
        return ()
    if choice.road == "libraries":
        from provisioner import flow_conda  # noqa: PLC0415 - only for conda environments

        return flow_conda.library_links(catalogue, build.cuda)
    if build.cuda.finds_tools:
        return build.cuda.links
    from provisioner import xla_tools  # noqa: PLC0415 - only for old releases

    return (*build.cuda.links, *xla_tools.files())


def _named_python(request: Request) -> str:
    """Return the interpreter that a request names by its path, if it does."""
    return request.python if "/" in request.python else ""


def _with_named_python(host: Host, request: Request) -> Request:
    """Return the request with a path given as ``--python`` made absolute; raises ``UsageError`` when there is no such file."""
    if "/" not in request.python:
        return request
    path = absolute(request.python, host, "--python")
    if not host.exists(path):
        hint = "`tfsetup detect` lists the Pythons of this machine"
        raise UsageError("there is no such interpreter", place=f"--python {request.python}", hint=hint)
    return replace(request, python=path)


def _with_extras(host: Host, request: Request, lock: Lock, facts: Facts) -> Lock:
    """Resolve the packages of ``--with`` around the lock; the one part of planning that needs the network."""
    from provisioner.extras import resolve_extras  # noqa: PLC0415 - only with --with
    from provisioner.transaction import make_folders  # noqa: PLC0415 - only with --with

    folder = resolve_folder(host)
    make_folders(host, folder)
    return resolve_extras(host, request.extra, lock, floor=floor_of(facts, lock), folder=folder, offline=request.offline)


def resolve_folder(host: Host) -> str:
    """Return the folder of the tool's own for a resolver's input."""
    return posixpath.join(cache_folder(host), "resolve")


def floor_of(facts: Facts, lock: Lock) -> str:
    """Return the glibc or macOS that wheels must run on: the machine's, or where nobody can tell, the lock's."""
    system = facts.system
    return system.libc.value.version if system.libc.value else lock.glibc or system.version.value or NO_FLOOR


def _check_place(host: Host, state: EnvState) -> tuple[str, ...]:
    """Return the folders that must be made above the environment; raises ``InputError`` when files cannot be put there."""
    missing: list[str] = []
    folder = posixpath.dirname(state.path)
    while not host.exists(folder):
        missing.append(folder)
        folder = posixpath.dirname(folder)
    if host.entry(host.real(folder)).kind != "directory":
        raise InputError("it is a file, so no environment can be made in it", place=folder, hint="choose another folder with --env")
    inside = state.path if state.exists else folder
    if not host.writable(inside):
        raise InputError("this user may not write there", place=inside, hint="choose another folder with --env")
    return tuple(reversed(missing))


def _disk_warnings(facts: Facts, lock: Lock) -> tuple[str, ...]:
    need = int(sum(file.unpacked for file in lock.files) * DISK_RESERVE)
    volume = facts.disk.environment.value
    if volume is None or volume.free >= need:
        return ()
    return (f"the set needs up to {size_words(need)}, but only {size_words(volume.free)} is free where {volume.path} lies",)


def load_saved_plan(host: Host, path: str, channels: tuple[str, ...] = ()) -> Planned:
    """Read a saved plan and check that it still belongs to this machine and environment (code 13 when not).

    ``channels`` are the conda channels of this run's own variables and file.
    """
    saved = planning.load_plan(read_input(host, path), file=path)
    if saved.kind != "apply":
        # What a repair writes and renames follows from an examination, which nobody can check afterwards.
        raise InputError("is a repair, which only the run that made it executes", place=path, hint="run `tfsetup fix`, which examines anew")
    site = read_site(host, saved.env.path)
    _of_kind(host, saved.request, site)
    _check_place(host, site.state)
    facts = detect(host, env=saved.env.path, full=False, python=_named_python(saved.request))
    catalogue = open_catalogue(host)
    choice = saved.choice
    if saved.tool != __version__:
        raise StalePlanError(f"the plan was made by tfsetup {saved.tool}, this is {__version__}", place=path, hint="plan again")
    links = links_of(catalogue, choice)
    owned: frozenset[str] = frozenset()
    edits: tuple[Edit, ...] = ()
    if saved.conda is not None:
        from provisioner import flow_conda  # noqa: PLC0415 - only for conda environments

        lock, owned = flow_conda.check_saved(host, saved, catalogue, site, channels)
        edits = flow_conda.edits(choice, site.state.path, links)
    else:
        lock = catalogue.lock(choice.release, choice.python, choice.platform, choice.device)
    planning.check_fresh(saved, facts, site, lock, links, edits, owned)
    left = recovery.interrupted(host, Workspace(root=site.state.path))
    if lock is None:  # pragma: no cover - check_fresh has refused it
        raise StalePlanError("the catalogue has changed since the plan was made", place=path)
    return Planned(plan=saved, site=site, facts=facts, lock=lock, interrupted=left, channels=channels)


def check_executor(host: Host) -> None:
    """Raise ``OperationError`` where this tool can plan, but not execute: on Windows itself."""
    if host.platform == "win32":
        raise OperationError(
            "tfsetup cannot change environments on Windows itself yet; `tfsetup plan` works there",
            hint="use WSL2: run `wsl --install` in a Windows terminal, then tfsetup inside it",
            cause="platform-unsupported",
        )


def apply(host: Host, planned: Planned, *, progress: Progress, wait: float) -> Executed:
    """Execute a plan that was shown and agreed to."""
    from provisioner.execute import execute  # noqa: PLC0415 - not needed to plan

    def prove(root: str) -> Verification:
        return verify_plan(host, root, planned.plan, progress)

    return execute(planned.plan, host, prove=prove, progress=progress, wait=wait, channels=planned.channels)


def clear_interrupted(host: Host, env: str, *, wait: float, progress: Progress) -> recovery.Interrupted | None:
    """Bring the state before an interrupted run back, if there was one."""
    from provisioner.execute import holding  # noqa: PLC0415 - not needed to plan

    workspace = Workspace(root=host.real(env))
    if recovery.interrupted(host, workspace) is None:
        return None
    if not host.exists(workspace.root) or not host.exists(workspace.journal):
        aside = Workspace(root=workspace.aside)
        with holding(host, aside, wait, progress):
            found = recovery.interrupted(host, workspace)
            recovery.discard_unfinished(host, workspace)
            return found
    with holding(host, workspace, wait, progress):
        return recovery.recover(host, workspace)


def _expected_of_plan(host: Host, made: Plan) -> Expected:
    from provisioner.verify import Expected  # noqa: PLC0415 - not needed to plan

    release = open_catalogue(host).release(made.choice.release)
    build = release.build(made.choice.platform) if release else None
    return Expected(
        tensorflow=made.choice.release,
        packages=made.expected,
        device=made.choice.device,
        # The catalogue knows TensorFlow's own wheels; a channel's build opens other libraries.
        cuda=build.cuda if build and made.choice.device == "cuda" and made.choice.road != "conda" else None,
    )


def _expected_of_site(host: Host, site: Site) -> Expected:
    """Say what an environment that this tool did not make should be able to do, from the TensorFlow that is in it."""
    from provisioner.verify import Expected  # noqa: PLC0415 - not needed to plan

    found = next((item for item in site.distributions if is_rival(item.name)), None)
    release = open_catalogue(host).release(found.version) if found else None
    platform = platform_of(host) if release else ""
    build = release.build(platform) if release else None
    if any(name.startswith("tensorflow-") for name in site.conda):
        build = None
    only_cpu = found is not None and (found.name.endswith("-cpu") or (build is not None and build.cuda is None))
    return Expected(
        tensorflow=found.version if found else "",
        packages={},
        device="cpu" if only_cpu else "",
        cuda=build.cuda if build and not only_cpu else None,
    )


def platform_of(host: Host) -> str:
    """Return the platform of this machine as the catalogue names it, or "" where nobody can tell."""
    from provisioner.choose.platforms import platform_of_system  # noqa: PLC0415 - not needed by every command
    from provisioner.errors import CouldNotTellError  # noqa: PLC0415 - as above
    from provisioner.facts import macos, system  # noqa: PLC0415 - as above

    try:
        return platform_of_system(system.probe(host, macos.probe(host)))
    except CouldNotTellError:
        return ""


def verify(host: Host, *, env: str, python: str, require_gpu: bool, timeout: float, progress: Progress) -> Verification:
    """Prove that the environment at ``env`` computes; ``python`` names its interpreter where it is not ``bin/python``."""
    root = host.real(env)
    if not host.exists(root):
        raise InputError("there is no environment", place=env, hint="make one with `tfsetup apply`, or name another with --env")
    interpreter = python or posixpath.join(root, "bin", "python")
    if not host.exists(interpreter):
        raise InputError("there is no Python in it", place=interpreter, hint="name the interpreter with --python")
    from provisioner import receipt as receipts  # noqa: PLC0415 - not needed to plan

    receipt = receipts.read(host, Workspace(root=root).receipt)
    expected = _expected_of_plan(host, receipt.plan) if receipt else _expected_of_site(host, _site_or_nothing(host, root))
    progress.start("verify", "Verifying: importing TensorFlow and computing with it")
    verification = _verify(host, root, interpreter, expected, progress, require_gpu=require_gpu, timeout=timeout)
    progress.finish()
    return verification


def _site_or_nothing(host: Host, root: str) -> Site:
    try:
        return read_site(host, root)
    except InputError:
        # Not a virtual environment (conda's, the system's), or a broken one: it can be verified, and a change of it undone, all the same.
        return Site(state=EnvState(path=root, kind="absent", digest=""), distributions=(), leftovers=())


def verify_plan(host: Host, root: str, made: Plan, progress: Progress) -> Verification:
    """Prove that the environment at ``root`` is what a plan makes of it."""
    return _verify(host, root, posixpath.join(root, "bin", "python"), _expected_of_plan(host, made), progress)


def _verify(
    host: Host,
    root: str,
    interpreter: str,
    expected: Expected,
    progress: Progress,
    *,
    require_gpu: bool = False,
    timeout: float = VERIFY_TIMEOUT_SECONDS,
) -> Verification:
    from provisioner.verify import verify  # noqa: PLC0415 - not needed to plan

    return verify(
        host,
        env=root,
        python=interpreter,
        expected=expected,
        require_gpu=require_gpu,
        timeout=timeout,
        messages=open_messages(host),
        progress=progress.note,
    )


def undoable(host: Host, env: str) -> recovery.Undoable:
    """Find what ``undo`` would take back, which may be nothing."""
    from provisioner import receipt as receipts  # noqa: PLC0415 - not needed to plan

    workspace = Workspace(root=host.real(env))
    left = recovery.interrupted(host, workspace)
    record = last_record(host, workspace)
    added: tuple[str, ...] = ()
    receipt = receipts.read(host, workspace.receipt)
    if left is None and receipt is not None:
        ours = set(receipt.plan.expected)
        added = tuple(
            f"{item.name} {item.version}" for item in _site_or_nothing(host, workspace.root).distributions if item.name not in ours
        )
    return recovery.Undoable(workspace=workspace, interrupted=left, record=record, added=added)


def undo(host: Host, found: recovery.Undoable, *, wait: float, progress: Progress) -> None:
    """Take back what ``undoable`` found."""
    from provisioner.execute import holding  # noqa: PLC0415 - not needed to plan

    if found.interrupted is not None:
        clear_interrupted(host, found.workspace.root, wait=wait, progress=progress)
        return
    with holding(host, found.workspace, wait, progress):
        record = last_record(host, found.workspace)
        if record is not None:
            recovery.undo(host, found.workspace, record)


def saved_env(host: Host, path: str) -> str:
    """Return the environment that a saved plan is about."""
    return planning.load_plan(read_input(host, path), file=path).env.path
