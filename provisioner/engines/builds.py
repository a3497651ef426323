"""Source distributions, built as far as their metadata: fetched and held against their hash, in isolation, with builders held by their hashes.

Nothing is built but what somebody allowed by name (``lock.building``). The build sees none of this person's variables but PATH.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from provisioner import __version__
from provisioner.base.requirement import name_of
from provisioner.base.text import mask
from provisioner.engines import git, pip_tools, uv, uv_compile
from provisioner.engines.resolving import Job, NoSolutionError
from provisioner.engines.source_tree import BuildSystem, Metadata, build_system, is_compiled, read_metadata
from provisioner.engines.wheels import Wheel
from provisioner.errors import InputError, OperationError
from provisioner.host import PRIVATE, Host
from provisioner.host.files import make_folders
from provisioner.model import codec
from provisioner.model.record import record

TIMEOUT_SECONDS = 600.0
# What setuptools and wheel are limited to, tried one after another: the last with pkg_resources, which old code asks for (setuptools' history,
# v82.0.0), then the last that take what older code says of its requirements (v66.0.0, v67.0.0; wheel 0.40).
ERAS: tuple[tuple[str, ...], ...] = (("setuptools<82",), ("setuptools<66", "wheel<0.40"))
_SETUPTOOLS = "setuptools"
# Of a project's folder no more is copied than files of so many bytes, so many of them, and nothing of environments.
LARGEST, MOST = 1 << 20, 20_000
_APART = {"site-packages", "node_modules", "__pycache__"}
_LAST_LINES = 6
# What a setup prints that was not answered (Python's socket and urllib; requests and urllib3).
_NO_ANSWER = re.compile(r"URLError|socket\.gaierror|NameResolutionError|requests\.exceptions\.ConnectionError|MaxRetryError")

# What builds, and decides nothing of what a package says of itself.
_BACKENDS = {"setuptools", "wheel", "pip"}

Watch = Callable[[int], None]


@record
class _Kept:
    """Metadata that was built, as it is kept: with the pins that it was built beside and that could have counted."""

    metadata: Metadata
    pins: tuple[str, ...] = ()


class BuildError(OperationError):
    """A source distribution whose metadata could not be built; ``said`` is what its back end, or whoever was in the way, printed."""

    def __init__(self, job: Job, wheel: Wheel, said: str) -> None:
        """Say what failed, with the last lines of what was said."""
        lines = [line.strip() for line in mask(said).splitlines() if line.strip()]
        missing = re.search(r"No module named '([\w.]+)'", said)
        way = f"its setup asks for {missing[1]}, which it does not name among its build requirements; " if missing else ""
        way = way or (
            "its setup fetches something from the network, and got no answer here: lock where it does; or "
            if _NO_ANSWER.search(said)
            else ""
        )
        super().__init__(
            f"{wheel.package} {wheel.commit or wheel.version} is there as source alone, and could not be built: {' / '.join(lines[-_LAST_LINES:])}",
            place=job.name,
            hint=f"{way}name another version of it, one that has a wheel or that builds with Python {job.python}",
            cause="platform-unsupported",
        )
        self.said = said


def metadata_of(host: Host, job: Job, wheel: Wheel, *, pins: tuple[str, ...], watch: Watch | None = None) -> Metadata:
    """Return what a source distribution says of itself; ``pins`` are versions that its builders keep where they can.

    Raises ``BuildError`` where it cannot be built, ``OperationError`` where it cannot be had. What was found is kept by its hash in ``job.cache``.
    """
    basis = f"{__version__}\0{wheel.identity}\0{wheel.folder}\0{job.python}\0{job.cutoff}"
    named = wheel.sha256 or wheel.commit
    kept = posixpath.join(job.cache, f"metadata-{hashlib.sha256(basis.encode()).hexdigest()}.json") if job.cache and named else ""
    if kept and host.exists(kept):
        there = codec.from_data(_Kept, codec.parse_json(host.read_text(kept), file=kept), file=kept)
        if there.pins == _mattering(pins, there.metadata):
            return there.metadata
    place = posixpath.join(job.folder, f"source-{wheel.package}-{wheel.version}")
    fetch = git.checked_out if wheel.commit else fetched if wheel.sha256 else _copied
    tree = posixpath.join(fetch(host, job, wheel, posixpath.join(place, "fetched"), watch), wheel.folder)
    found = _of_tree(host, replace(job, folder=place), wheel, tree, pins, watch)
    host.remove_tree(place)
    if kept:
        host.write(kept, json.dumps(codec.to_data(_Kept(metadata=found, pins=_mattering(pins, found)))), mode=PRIVATE)
    return found


def _mattering(pins: Iterable[str], metadata: Metadata) -> tuple[str, ...]:
    """Return the pins of what a package is built with, setuptools and its like apart: those that its metadata can depend on (NumPy's, say)."""
    builders = {name_of(text) for text in metadata.builders} - _BACKENDS
    return tuple(sorted(pin for pin in pins if name_of(pin) in builders))


def fetched(host: Host, job: Job, wheel: Wheel, folder: str, watch: Watch | None) -> str:
    """Return the folder of an unpacked source distribution, which is the file that its hash names; nothing of it is run."""
    host.remove_tree(folder)
    make_folders(host, posixpath.dirname(folder))
    script = posixpath.join(posixpath.dirname(posixpath.abspath(__file__)), "_sources.py")
    asked = json.dumps([{"url": wheel.url, "sha256": wheel.sha256, "folder": folder}])
    done = host.run([host.python, script], env=pip_tools.variables(host, job), cwd="/", stdin=asked, timeout=TIMEOUT_SECONDS, watch=watch)
    answer = json.loads(done.out)[0] if done.ok else {"fault": " ".join(done.err.split())[-300:]}
    if answer["fault"]:
        message = f"the source of {wheel.package} {wheel.version} could not be had: {mask(answer['fault'])}"
        raise OperationError(message, place=job.name, hint="run the same command again", cause="download-failed")
    top: str = answer["top"]
    return top


def _copied(host: Host, _job: Job, wheel: Wheel, folder: str, _watch: Watch | None) -> str:
    """Copy a project as far as a build may look at it, so that the build leaves nothing in the project: no data, no environments."""
    host.remove_tree(folder)
    number = 0
    for path in host.files_below(wheel.url):
        inner = posixpath.relpath(path, wheel.url)
        apart = any(part.startswith(".") or part in _APART for part in inner.split("/")[:-1])
        if apart or host.size(path) > LARGEST or number >= MOST:
            continue
        number += 1
        make_folders(host, posixpath.dirname(posixpath.join(folder, inner)))
        host.copy(path, posixpath.join(folder, inner))
    make_folders(host, folder)
    return folder


def _of_tree(host: Host, job: Job, wheel: Wheel, tree: str, pins: tuple[str, ...], watch: Watch | None) -> Metadata:
    pyproject = posixpath.join(tree, "pyproject.toml")
    try:
        system = build_system(host.read_text(pyproject) if host.exists(pyproject) else "", file=f"{wheel.filename}: pyproject.toml")
    except InputError as error:
        raise BuildError(job, wheel, f"{error.place}: {error.message} {'; '.join(error.faults)}") from None
    found: list[BuildError] = []
    for limits in _eras(system):
        done = _tried(partial(_built, host, job, wheel, tree, system, limits, pins, watch))
        if isinstance(done, Metadata):
            return done
        found.append(done)
    raise found[0]


def _tried(build: Callable[[], Metadata]) -> Metadata | BuildError:
    try:
        return build()
    except BuildError as error:
        return error


def _eras(system: BuildSystem) -> Iterator[tuple[str, ...]]:
    if system.backend.startswith(_SETUPTOOLS):
        yield from ERAS
    yield ()


def _built(
    host: Host, job: Job, wheel: Wheel, tree: str, system: BuildSystem, limits: tuple[str, ...], pins: tuple[str, ...], watch: Watch | None
) -> Metadata:
    """Build the metadata with builders within ``limits``: those that the tree names, then those that its back end asks for, too."""
    requires = system.requires
    python = _environment(host, job, wheel, requires, limits, pins, watch)
    hooks = _Hooks(host, job, wheel, tree, system, watch)
    more = hooks.ask(python, "get_requires_for_build_wheel", {"config_settings": None})
    if isinstance(more, list) and more:
        requires = tuple(dict.fromkeys([*requires, *map(str, more)]))
        python = _environment(host, job, wheel, requires, limits, pins, watch)
    folder = posixpath.join(job.folder, "metadata")
    host.remove_tree(folder)
    make_folders(host, folder)
    asked = {"metadata_directory": folder, "config_settings": None, "_allow_fallback": True}
    name = hooks.ask(python, "prepare_metadata_for_build_wheel", asked)
    text = host.read_text(posixpath.join(folder, str(name), "METADATA"), 1 << 22)
    compiled = is_compiled(path.removeprefix(f"{tree}/") for path in host.files_below(tree))
    try:
        return read_metadata(text, system, builders=requires, limits=limits, compiled=compiled)
    except InputError as error:
        raise BuildError(job, wheel, error.message) from None


def _environment(
    host: Host, job: Job, wheel: Wheel, requires: tuple[str, ...], limits: tuple[str, ...], pins: tuple[str, ...], watch: Watch | None
) -> str:
    """Make an environment with the builders, each held by its hash, and return its Python: the target's where this machine has it."""
    path = posixpath.join(job.folder, "builders")
    host.remove_tree(path)
    make_folders(host, job.folder)
    try:
        uv.create_environment(host, path=path, python=job.python, prompt="builders")
    except OperationError:
        uv.create_environment(host, path=path, python=host.python, prompt="builders")
    python = posixpath.join(path, "bin", "python")
    if not requires:
        return python
    asked = replace(
        job, requirements=requires, constraints=limits, preferred=pins, sources=(), metadata=(), interpreter=python, alone=False, exempt=()
    )
    try:
        text = _locked(host, asked, watch)
    except NoSolutionError as error:
        raise BuildError(job, wheel, f"what it is built with cannot be had: {' '.join(error.said.split())}") from None
    listed = posixpath.join(job.folder, "builders.txt")
    host.write(listed, text, mode=PRIVATE)
    uv.install(host, python=python, requirements=listed, packages=(), indexes=job.indexes, offline=job.offline, watch=watch)
    return python


def _locked(host: Host, job: Job, watch: Watch | None) -> str:
    """Return builders for this machine as a requirements file with hashes; most packages have the same ones, so it is kept."""
    basis = [__version__, job.python, host.platform, job.cutoff, *job.requirements, "", *job.constraints, "", *job.preferred]
    basis += [index.url for index in job.indexes]
    digest = hashlib.sha256("\0".join(basis).encode()).hexdigest()
    # What lies in a folder may be another file by the next time.
    kept = posixpath.join(job.cache, f"builders-{digest}.txt") if job.cache and not job.links else ""
    if kept and host.exists(kept):
        return host.read_text(kept)
    offered = uv_compile.compile_job(host, job, origins=False, watch=watch).offered
    hashes = {name: " ".join(f"--hash=sha256:{file.sha256}" for file in files) for name, files in offered.items()}
    text = "".join(f"{name}=={files[0].version} {hashes[name]}\n" for name, files in offered.items())
    if kept:
        host.write(kept, text, mode=PRIVATE)
    return text


class _Hooks:
    """The back end of a tree, asked by the script of pyproject_hooks inside an environment of its own."""

    def __init__(self, host: Host, job: Job, wheel: Wheel, tree: str, system: BuildSystem, watch: Watch | None) -> None:
        self._host = host
        self._job = job
        self._wheel = wheel
        self._tree = tree
        self._system = system
        self._watch = watch

    def ask(self, python: str, hook: str, given: Mapping[str, object]) -> object:
        """Call a hook; raises ``BuildError`` with what was printed."""
        from pyproject_hooks._in_process import _in_proc_script_path  # noqa: PLC0415 - only where something is built

        host, control = self._host, posixpath.join(self._job.folder, f"hook-{hook}")
        make_folders(host, control)
        host.write(posixpath.join(control, "input.json"), json.dumps({"kwargs": given, "hook_name": hook}))
        with _in_proc_script_path() as script:  # type: ignore[no-untyped-call]
            argv = [python, str(script), hook, control]
            done = host.run(argv, env=self._variables(python), cwd=self._tree, timeout=TIMEOUT_SECONDS, watch=self._watch)
        path = posixpath.join(control, "output.json")
        if not done.ok or not host.exists(path):
            raise BuildError(self._job, self._wheel, f"{done.out}\n{done.err}")
        answer = json.loads(host.read_text(path, 1 << 22))
        if "return_val" not in answer or any(answer.get(key) for key in ("no_backend", "unsupported", "hook_missing")):
            raise BuildError(self._job, self._wheel, f"{answer.get('traceback', '')}\n{answer.get('backend_error', '')}\n{done.err}")
        return answer["return_val"]

    def _variables(self, python: str) -> dict[str, str]:
        path = [str(posixpath.join(self._tree, item)) for item in self._system.path]
        env = {
            "PATH": f"{posixpath.dirname(python)}:{self._host.env.get('PATH', '/usr/bin:/bin')}",
            "HOME": self._job.folder,
            "LANG": "C.UTF-8",
        }
        env |= {"_PYPROJECT_HOOKS_BUILD_BACKEND": self._system.backend}
        return env | ({"_PYPROJECT_HOOKS_BACKEND_PATH_JSON": json.dumps(path)} if path else {})
