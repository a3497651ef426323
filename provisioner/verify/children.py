"""The child processes of ``verify`` and ``doctor``: one imports TensorFlow, one opens the GPU libraries; what they wrote is read back."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from contextlib import suppress

from provisioner.errors import InputError
from provisioner.host import Completed, Host, Reader, passing
from provisioner.host.files import sweep
from provisioner.in_process import script
from provisioner.verify.events import parse_events
from provisioner.verify.raw import Child

# Opening the CUDA libraries takes under a second from a warm disk; a cold one may have to read 3 GB.
LIBRARIES_SECONDS = 120.0
# The working folder of a proof, in the folder for what is passing.
PREFIX = "tfsetup-verify-"
# The stacks of a hang are asked for this long before the limit ends the child.
STACKS_SECONDS = 3.0


def make_work(host: Host) -> str:
    """A fresh folder of our own; ``mkdir`` fails for one that somebody else has put there."""
    parent = passing.folder_for(host)
    sweep(host, parent, PREFIX)
    path = posixpath.join(parent, f"{PREFIX}{os.urandom(8).hex()}")
    try:
        with host.shielded():
            host.make_folder(path)
            for name in ("cwd", "saved", "tmp"):
                host.make_folder(posixpath.join(path, name))
    except FileExistsError:
        raise
    except BaseException:
        # Nobody knows of it yet; Ctrl-C may have come meanwhile.
        with suppress(OSError):
            host.remove_tree(path)
        raise
    return path


def remove_work(host: Host, work: str) -> None:
    """Remove a proof's folder; what cannot be is no reason to fail: the next proof takes it away (``make_work``)."""
    for _try in range(2):
        # One file that cannot be removed now may be a moment later; Ctrl-C waits that long.
        with suppress(OSError), host.shielded():
            host.remove_tree(work)


def environment(reader: Reader, work: str) -> dict[str, str]:
    """The user's variables, and those that keep the child from writing elsewhere or from hiding its messages."""
    env = {**reader.env, "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "0", "TMPDIR": posixpath.join(work, "tmp")}
    # Keras writes its settings to the home folder when it finds none; where there are some, they are what the user runs with.
    settings = posixpath.join(reader.env.get("HOME", "/"), ".keras", "keras.json")
    if "KERAS_HOME" not in env and not reader.exists(settings):
        env["KERAS_HOME"] = posixpath.join(work, "tmp", "keras")
    return env


def _run(
    host: Host, argv: list[str], folder: str, env: dict[str, str], timeout: float, watch: Callable[[int], None] | None = None
) -> Completed:
    try:
        return host.run(argv, env=env, cwd=folder, timeout=timeout, watch=watch)
    except OSError as error:
        raise InputError(f"the interpreter cannot be started: {error.strerror}", place=argv[0], hint="choose another --env") from None


def probe(host: Host, python: str, work: str, timeout: float, progress: Callable[[str], None], *, brief_in: str = "") -> Child:
    """Import TensorFlow and compute with it; with ``brief_in`` only import it, as a program that is started in that folder would."""
    out, mark = posixpath.join(work, "probe"), os.urandom(8).hex()
    argv = [python, script("_tensorflow.py"), "--out", out, "--mark", mark, "--work", posixpath.join(work, "saved")]
    argv += ["--timeout", f"{max(1.0, timeout - STACKS_SECONDS):.1f}"]
    if brief_in:
        argv += ["--brief", "--cwd", brief_in]
    told = ""

    def watch(_written: int) -> None:
        nonlocal told
        started = [event for event in _events(host, out, mark) if event["event"] == "start"]
        now = f"{started[-1]['check']} {started[-1]['device']}".rstrip() if started else ""
        if now and now != told:
            told = now
            progress(f"check: {now}")

    done = _run(host, argv, brief_in or posixpath.join(work, "cwd"), environment(host, work), timeout, watch)
    return _child(done, timeout, _events(host, out, mark))


def libraries(host: Host, python: str, work: str, names: tuple[str, ...]) -> Child:
    """Open the libraries of the GPU as TensorFlow would, and let the loader tell what it searched.

    ``names`` are those that it must find; on Linux its own loader says them.
    """
    out, mark = posixpath.join(work, "libraries"), os.urandom(8).hex()
    # The loader's account of what it searched goes to a file of its own (ld.so(8)).
    env = {**environment(host, work), "LD_DEBUG": "files,libs", "LD_DEBUG_OUTPUT": posixpath.join(work, "loader")}
    argv = [script("_dlls.py"), out, mark, *names] if host.platform == "win32" else [script("_libraries.py"), out, mark]
    done = _run(host, [python, *argv], posixpath.join(work, "cwd"), env, LIBRARIES_SECONDS)
    return _child(done, LIBRARIES_SECONDS, _events(host, out, mark))


def _events(reader: Reader, path: str, mark: str) -> tuple[dict[str, object], ...]:
    try:
        return parse_events(reader.read_text(path, limit=1 << 24), mark)
    except FileNotFoundError:
        return ()


def _child(done: Completed, limit: float, events: tuple[dict[str, object], ...]) -> Child:
    return Child(code=done.code, timed_out=done.timed_out, seconds=done.seconds, limit=limit, err=done.err, events=events)
