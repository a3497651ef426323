"""``tfsetup verify``: proves in a child process that an environment computes, and says what is wrong where it does not."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable

from provisioner.causes import Messages
from provisioner.errors import InputError
from provisioner.host import Completed, Host, Reader
from provisioner.model.finding import Verification
from provisioner.verify import integrity, surroundings
from provisioner.verify.judge import judge
from provisioner.verify.raw import Child, Expected, Raw, parse_events

__all__ = ["Expected", "verify"]

HERE = os.path.dirname(os.path.abspath(__file__))
# Opening the CUDA libraries takes under a second from a warm disk; a cold one may have to read 3 GB.
LIBRARIES_SECONDS = 120.0
# The stacks of a hang are asked for this long before the limit ends the child.
STACKS_SECONDS = 3.0


def verify(
    host: Host,
    *,
    env: str,
    python: str,
    expected: Expected,
    require_gpu: bool,
    timeout: float,
    messages: Messages,
    progress: Callable[[str], None],
) -> Verification:
    """Verify the environment at ``env`` (absolute) with its interpreter ``python``.

    Nothing is written into the environment: no bytecode, and what the checks save goes to a temporary folder, which is also their working
    directory. The child gets the user's environment variables, since that is what the user's programs will run with; only the level of
    TensorFlow's messages is reset, so that none is hidden. ``timeout`` in seconds is for the child that imports TensorFlow. While it runs,
    the files are compared with their records and the GPU libraries are opened in a second child. ``progress`` is told what is being done,
    from the calling thread.

    Raises ``InputError`` when the interpreter cannot be started at all. Everything else, a crash and a hang too, is in the result.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only verify needs threads

    root = host.real(env)
    work = _make_work(host)
    try:
        folders = integrity.sites(host, root)
        # The probe runs in this thread, so that Ctrl-C ends it; the rest is short.
        with ThreadPoolExecutor(max_workers=2) as pool:
            checking = pool.submit(integrity.check, host, root)
            build = next((answer for answer in (surroundings.is_cuda_build(host, site) for site in folders) if answer is not None), None)
            no_libraries = _no_libraries(host, build=build)
            opening = None if no_libraries else pool.submit(_libraries, host, python, work)
            progress("importing TensorFlow in a process of its own")
            probe = _probe(host, python, work, timeout, progress)
            progress("comparing the files with their records")
            found = checking.result()
            libraries = opening.result() if opening is not None else None
        # Whether XLA looks beside TensorFlow is known of a release of the catalogue; of any other the newest is taken for granted.
        beside = expected.cuda is None or expected.cuda.finds_tools
        raw = _gather(host, probe, libraries, why=no_libraries, build=build, found=found, folders=folders, beside=beside)
    finally:
        host.remove_tree(work)
    return judge(raw, expected, env=root, python=python, require_gpu=require_gpu, messages=messages)


def _make_work(host: Host) -> str:
    """A fresh folder of our own; ``mkdir`` fails for one that somebody else has put there."""
    parent = next((folder for folder in (host.env.get("TMPDIR", ""), "/tmp") if folder and host.exists(folder)), host.cwd)  # noqa: S108 - a random name in it
    path = posixpath.join(host.real(parent), f"tfsetup-verify-{os.urandom(8).hex()}")
    host.make_folder(path)
    for name in ("cwd", "saved", "tmp"):
        host.make_folder(posixpath.join(path, name))
    return path


def _environment(reader: Reader, work: str) -> dict[str, str]:
    """The user's variables, and those that keep the child from writing elsewhere or from hiding its messages."""
    env = {**reader.env, "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "0", "TMPDIR": posixpath.join(work, "tmp")}
    # Keras writes its settings to the home folder when it finds none; where there are some, they are what the user runs with.
    settings = posixpath.join(reader.env.get("HOME", "/"), ".keras", "keras.json")
    if "KERAS_HOME" not in env and not reader.exists(settings):
        env["KERAS_HOME"] = posixpath.join(work, "tmp", "keras")
    return env


def _run(host: Host, argv: list[str], work: str, env: dict[str, str], timeout: float, watch: Callable[[int], None] | None) -> Completed:
    try:
        return host.run(argv, env=env, cwd=posixpath.join(work, "cwd"), timeout=timeout, watch=watch)
    except OSError as error:
        raise InputError(f"the interpreter cannot be started: {error.strerror}", place=argv[0], hint="choose another --env") from None


def _probe(host: Host, python: str, work: str, timeout: float, progress: Callable[[str], None]) -> Child:
    out, mark = posixpath.join(work, "probe"), os.urandom(8).hex()
    argv = [python, posixpath.join(HERE, "_probe.py"), "--out", out, "--mark", mark, "--work", posixpath.join(work, "saved")]
    argv += ["--timeout", f"{max(1.0, timeout - STACKS_SECONDS):.1f}"]
    told = ""

    def watch(_written: int) -> None:
        nonlocal told
        started = [event for event in _events(host, out, mark) if event["event"] == "start"]
        now = f"{started[-1]['check']} {started[-1]['device']}".rstrip() if started else ""
        if now and now != told:
            told = now
            progress(f"check: {now}")

    done = _run(host, argv, work, _environment(host, work), timeout, watch)
    return _child(done, timeout, _events(host, out, mark))


def _libraries(host: Host, python: str, work: str) -> Child:
    out, mark = posixpath.join(work, "libraries"), os.urandom(8).hex()
    # The loader's account of what it searched goes to a file of its own (ld.so(8)).
    env = {**_environment(host, work), "LD_DEBUG": "files,libs", "LD_DEBUG_OUTPUT": posixpath.join(work, "loader")}
    done = _run(host, [python, posixpath.join(HERE, "_libraries.py"), out, mark], work, env, LIBRARIES_SECONDS, None)
    return _child(done, LIBRARIES_SECONDS, _events(host, out, mark))


def _events(reader: Reader, path: str, mark: str) -> tuple[dict[str, object], ...]:
    try:
        return parse_events(reader.read_text(path, limit=1 << 24), mark)
    except FileNotFoundError:
        return ()


def _child(done: Completed, limit: float, events: tuple[dict[str, object], ...]) -> Child:
    return Child(code=done.code, timed_out=done.timed_out, seconds=done.seconds, limit=limit, err=done.err, events=events)


def _no_libraries(reader: Reader, *, build: bool | None) -> str:
    """Why the GPU libraries are not asked for; empty when they are."""
    if build is False:
        return "a CPU build opens no GPU libraries"
    if build is None:
        return "there is no TensorFlow whose build can be told"
    if reader.platform != "linux":
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
    from provisioner.verify.requirements import unmet  # noqa: PLC0415 - packaging costs 45 ms

    markers = probe.first("interpreter").get("markers")
    tools = probe.first("loaded").get("tools", {})
    lost = [event["asked"][0] for event in (libraries.all("library") if libraries else ()) if event["asked"] and not event["path"]]
    present = {}
    for name in lost:
        for site in folders:
            hits = host.glob(posixpath.join(site, "nvidia", "*", "lib", name))
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
