"""The project's own proof: imports, and commands, that its declaration says must work (``verify:``), run in the environment's own Python.

An item with a blank in it is a command; any other is a module, or something in one (``retinaface.RetinaFace``).
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence

from provisioner.base.progress import Progress
from provisioner.base.text import mask
from provisioner.base.trials import is_command
from provisioner.environment.activated import activated
from provisioner.environment.active import interpreter_of
from provisioner.environment.layout import CONDA, layout
from provisioner.host import Host
from provisioner.model.finding import Check, Evidence, Finding, Remedy
from provisioner.verify import children
from provisioner.verify.neighbours import Imported, import_modules

CHECK = "project"
COMMAND_SECONDS = 600.0
# A package that brings TensorFlow along is imported from a cold disk.
MODULE_SECONDS = 300
# Of what a command said, the end is where it says why.
SHOWN_LINES = 8


def prove(host: Host, root: str, wanted: Sequence[str], progress: Progress, *, folder: str) -> Imported | None:
    """Import and run what a project says must work, in the environment at ``root``; None where it says nothing.

    Commands are started in ``folder``, with the environment's programs first on PATH; imports in an empty one. Nothing is written into the
    environment. Whoever calls this has the word for the commands.
    """
    if not wanted:
        return None
    progress.start(CHECK, "Trying what the project says must work")
    modules = [item for item in wanted if not is_command(item)]
    errors = import_modules(host, interpreter_of(host, root), modules, progress, seconds=MODULE_SECONDS) if modules else {}
    for item in wanted:
        if is_command(item):
            progress.note(f"running {item}")
            errors[item] = _run(host, root, item, folder)
    progress.finish()
    return judged({item: errors.get(item, "no answer") for item in wanted})


def _run(host: Host, root: str, command: str, folder: str) -> str:
    """Return what went wrong with a command, "" for nothing."""
    programs = posixpath.dirname(interpreter_of(host, root))
    work = children.make_work(host)
    try:
        conda = host.exists(posixpath.join(root, CONDA))
        env = activated(children.environment(host, work), root, conda=conda, shape=layout(host.platform))
        first, *rest = shlex.split(command)
        own = posixpath.join(programs, first)
        argv = [own if "/" not in first and host.exists(own) else first, *rest]
        done = host.run(argv, env=env, cwd=folder, timeout=COMMAND_SECONDS)
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    finally:
        children.remove_work(host, work)
    if done.ok:
        return ""
    how = f"no answer within {COMMAND_SECONDS:.0f} s" if done.timed_out else f"ended with exit code {done.code}"
    said = [line for line in (done.err or done.out).splitlines() if line.strip()][-SHOWN_LINES:]
    return mask("\n".join([how, *said]))


def judged(errors: Mapping[str, str]) -> Imported:
    """Say what became of it; ``errors`` are what went wrong by item, "" for nothing. Pure."""
    failed = [item for item, error in errors.items() if error]
    detail = f"{len(errors) - len(failed)} of {len(errors)} that the project names work"
    detail += f"; not: {', '.join(failed)}" if failed else ""
    check = Check(name=CHECK, status="failed" if failed else "passed", detail=detail)
    return Imported(check=check, findings=tuple(_findings(errors)))


def _findings(errors: Mapping[str, str]) -> Iterator[Finding]:
    for item, error in errors.items():
        if error:
            what = f"`{item}` does not end well" if is_command(item) else f"{item} cannot be imported"
            yield Finding(
                cause="dependency-incompatible",
                severity="error",
                confidence="certain",
                title=f"{what}, which the project says must work",
                evidence=(Evidence(seen=error, where=item if is_command(item) else f"import {item}"),),
                remedy=Remedy(words="change the project's requirements, or what its declaration names under `verify`", steps=()),
            )
