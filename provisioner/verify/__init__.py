"""``tfsetup verify``: proves in a child process that an environment computes, and says what is wrong where it does not."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial
from itertools import product

from provisioner.catalogue.published import Contradiction
from provisioner.causes.findings import Wording
from provisioner.environment.distributions import sites
from provisioner.environment.tensorflow import is_cuda_build
from provisioner.host import Host, Reader
from provisioner.judge import integrity
from provisioner.judge.memory import Memory
from provisioner.judge.requirements import unmet
from provisioner.model.finding import Verification
from provisioner.verify import children, surroundings
from provisioner.verify.judge import judge
from provisioner.verify.raw import Child, Expected, Raw

__all__ = ["Expected", "no_libraries", "observe", "verify"]


def verify(
    host: Host,
    *,
    env: str,
    python: str,
    expected: Expected,
    require_gpu: bool,
    timeout: float,
    wording: Wording,
    progress: Callable[[str], None],
) -> Verification:
    """Observe the environment at ``env`` (as ``observe`` does) and judge what was seen; ``require_gpu`` asks for a GPU that computes."""
    raw = observe(host, env=env, python=python, expected=expected, timeout=timeout, progress=progress)
    return judge(raw, expected, env=host.real(env), python=python, require_gpu=require_gpu, wording=wording.spoken_on(host.platform))


def observe(
    host: Host,
    *,
    env: str,
    python: str,
    expected: Expected,
    timeout: float,
    progress: Callable[[str], None],
    published: frozenset[Contradiction] = frozenset(),
    memory: Memory | None = None,
) -> Raw:
    """Observe the environment at ``env`` (absolute) with its interpreter ``python``.

    Nothing is written into the environment: no bytecode, and what the checks save goes to a temporary folder, which is also their working
    directory. The child gets the host's environment variables; only the level of TensorFlow's messages is reset, so that none is hidden. ``timeout``
    in seconds is for the child that imports TensorFlow. While it runs, the files are compared with their records (``published`` and ``memory`` as in
    ``judge.integrity``) and the GPU libraries are opened in a second child. ``progress`` is told what is being done, from the calling thread.

    Raises ``InputError`` when the interpreter cannot be started at all. Everything else, a crash and a hang too, is in the result.
    """
    root = host.real(env)
    work = children.make_work(host)
    comparing = partial(integrity.check, host, root, published=published, memory=memory)
    try:
        return _observe(host, root, python, work, expected, timeout, progress, comparing)
    finally:
        children.remove_work(host, work)


def _observe(
    host: Host,
    root: str,
    python: str,
    work: str,
    expected: Expected,
    timeout: float,
    progress: Callable[[str], None],
    comparing: Callable[[], integrity.Integrity],
) -> Raw:
    """Run both children and read the files, at the same time."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - doctor takes more from this folder than the proof

    folders = sites(host, root)
    # The probe runs in this thread, so that Ctrl-C ends it; the rest is short.
    with ThreadPoolExecutor(max_workers=2) as pool:
        checking = pool.submit(comparing)
        build = next((answer for answer in (is_cuda_build(host, site) for site in folders) if answer is not None), None)
        why_not = no_libraries(host, build=build)
        names = expected.cuda.must_open if expected.cuda is not None else ()
        opening = None if why_not else pool.submit(children.libraries, host, python, work, names)
        progress("importing TensorFlow in a process of its own")
        probe = children.probe(host, python, work, timeout, progress)
        progress("comparing the files with their records")
        found = checking.result()
        libraries = opening.result() if opening is not None else None
    # Whether XLA looks beside TensorFlow is known of a release of the catalogue; of any other the newest is taken for granted.
    beside = expected.cuda is None or expected.cuda.finds_tools
    return _gather(host, probe, libraries, why=why_not, build=build, found=found, folders=folders, beside=beside)


def no_libraries(reader: Reader, *, build: bool | None) -> str:
    """Why the GPU libraries are not asked for; empty when they are."""
    if build is False:
        return "a CPU build opens no GPU libraries"
    if build is None:
        return "there is no TensorFlow whose build can be told"
    if reader.platform not in {"linux", "win32"}:
        return f"the loader of {reader.platform} cannot be asked"
    return ""


def _gather(
    host: Host,
    probe: Child,
    libraries: Child | None,
    *,
    why: str,
    build: bool | None,
    found: integrity.Integrity,
    folders: tuple[str, ...],
    beside: bool,
) -> Raw:
    markers = probe.first("interpreter").get("markers")
    tools = probe.first("loaded").get("tools", {})
    lost = [event["asked"][0] for event in (libraries.all("library") if libraries else ()) if event["asked"] and not event["path"]]
    present = {}
    for name in lost:
        for site, inner in product(folders, ("lib", "bin")):
            hits = host.glob(posixpath.join(site, "nvidia", "*", inner, name))
            if hits:
                present[name] = hits[0]
    return Raw(
        probe=probe,
        libraries=libraries,
        no_libraries=why,
        cuda_build=build,
        integrity=found,
        unmet=unmet(found.distributions, markers) if markers else (),
        around=surroundings.look(host, folders if beside else (), flags=tools.get("flags"), ptxas=tools.get("ptxas", "")),
        present=present,
    )
