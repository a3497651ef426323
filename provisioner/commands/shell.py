"""The stages of ``tfsetup shell`` and ``run``: the environment, the word that starting in it may need, and what is started."""

from __future__ import annotations

import posixpath
import shlex

from provisioner import payload
from provisioner.base.paths import spelt
from provisioner.base.versions import minor_of
from provisioner.commands import named
from provisioner.commands.explain import explain
from provisioner.environment import active, tensorflow
from provisioner.environment.activated import activated
from provisioner.environment.layout import CONDA, layout
from provisioner.environment.read import site_or_nothing
from provisioner.errors import InputError
from provisioner.host import files
from provisioner.model.diagnosis import Explanation
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.session import Session

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


@record
class Start:
    """What is started in the environment at ``env``: a program with its arguments and all of its variables."""

    env: str
    argv: tuple[str, ...]
    variables: dict[str, str]


def shell(session: Session, request: Request, env: str) -> Start:
    """Return the person's own shell (SHELL; on Windows COMSPEC) with the environment active; ``env`` is "" for the one that is meant then.

    Raises ``InputError`` where there is no environment or no shell, ``ConsentError`` where its programs should not be started without a word.
    """
    host = session.host
    root, variables = _entered(session, request, env)
    program = host.env.get("SHELL") or host.env.get("COMSPEC") or host.which("bash") or host.which("sh")
    if not program:
        raise InputError("there is no shell: SHELL is not set, and neither bash nor sh is on PATH")
    return _started(root, program, variables, posixpath.join(root, layout(host.platform).activate))


def command(session: Session, request: Request, env: str, argv: tuple[str, ...]) -> Start:
    """Return a command with the environment active; raises as ``shell`` does."""
    root, variables = _entered(session, request, env)
    return Start(env=root, argv=argv, variables=variables)


def explained(session: Session, start: Start, said: bytes) -> Explanation | None:
    """Say what a command that failed said on stderr means, with what is known of its environment; None where nothing tells."""
    site = site_or_nothing(session.host, start.env)
    own = tensorflow.own_of(site.distributions)
    known = {
        "tensorflow": own.version if own else "",
        "python": minor_of(site.state.python_version) if site.state.python_version else "",
        # It ran here; few messages tell on which system.
        "os": _SYSTEMS.get(session.host.platform, ""),
    }
    told = {name: value for name, value in known.items() if value}
    python = posixpath.join(start.env, layout(session.host.platform).python)
    explanation = explain(
        session,
        said,
        source=f"what {start.argv[0]} said",
        left_out=0,
        context=told,
        facts_file="",
        env=start.env,
        python=python if session.host.exists(python) else "",
    )
    return explanation if any(item.severity != "info" and item.cause != "unknown" for item in explanation.findings) else None


def _entered(session: Session, request: Request, env: str) -> tuple[str, dict[str, str]]:
    """Return the environment that is meant, and the variables that a program in it has."""
    host = session.host
    subject = active.choose(host, env=env)
    if not subject.env and env:
        hint = f"start {spelt(subject.python)} itself, or make an environment with `tfsetup apply`, and name that"
        raise InputError("it is a Python installation itself, not an environment", place=env, hint=hint)
    if not subject.env:
        hint = "make one with `tfsetup apply`, or name it with --env"
        raise InputError("no environment is active, and there is none in this folder", hint=hint)
    session.trust.need(named.of_environment(session, request, subject.env))
    conda = files.there(host, posixpath.join(subject.env, CONDA))
    return subject.env, activated(host.env, subject.env, conda=conda, shape=layout(host.platform))


def _started(root: str, program: str, variables: dict[str, str], activate: str) -> Start:
    """Return how a shell is started so that its own settings do not come before the environment's; others are given the variables alone."""
    if posixpath.basename(program) == "bash":
        own = {**variables, "TFSETUP_ACTIVATE": activate}
        return Start(env=root, argv=(program, "--rcfile", payload.path("shell.bash"), "-i"), variables=own)
    if posixpath.basename(program) == "fish":
        script = shlex.quote(f"{activate}.fish")
        return Start(env=root, argv=(program, "-C", f"test -f {script}; and source {script}"), variables=variables)
    return Start(env=root, argv=(program,) if program.lower().endswith(".exe") else (program, "-i"), variables=variables)
