"""The stages of ``tfsetup shell``: the environment, the word that starting in it may need, and the shell that is started."""

from __future__ import annotations

import posixpath
import shlex

from provisioner import payload
from provisioner.commands import named
from provisioner.environment import active
from provisioner.environment.activated import activated
from provisioner.environment.layout import CONDA, layout
from provisioner.errors import InputError
from provisioner.host import files
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.session import Session


@record
class Start:
    """What is started in the environment at ``env``: a program with its arguments and all of its variables."""

    env: str
    argv: tuple[str, ...]
    variables: dict[str, str]


def shell(session: Session, request: Request, env: str) -> Start:
    """Return the person's own shell (SHELL) with the environment active; ``env`` is "" for the one that is meant where none is named.

    Raises ``InputError`` where there is no environment or no shell, ``ConsentError`` where its programs should not be started without a word.
    """
    host = session.host
    subject = active.choose(host, env=env)
    if not subject.env:
        raise InputError(
            "no environment is active, and there is none in this folder", hint="make one with `tfsetup apply`, or name it with --env"
        )
    session.trust.need(named.of_environment(session, request, subject.env))
    shape = layout(host.platform)
    variables = activated(host.env, subject.env, conda=files.there(host, posixpath.join(subject.env, CONDA)), shape=shape)
    program = host.env.get("SHELL") or host.which("bash") or host.which("sh")
    if not program:
        raise InputError("there is no shell: SHELL is not set, and neither bash nor sh is on PATH")
    return Start(env=subject.env, **_started(program, posixpath.join(subject.env, shape.activate), variables))  # type: ignore[arg-type]


def _started(program: str, activate: str, variables: dict[str, str]) -> dict[str, object]:
    """Return how a shell is started so that its own settings do not come before the environment's; others are given the variables alone."""
    if posixpath.basename(program) == "bash":
        return {"argv": (program, "--rcfile", payload.path("shell.bash"), "-i"), "variables": {**variables, "TFSETUP_ACTIVATE": activate}}
    if posixpath.basename(program) == "fish":
        return {
            "argv": (program, "-C", f"test -f {shlex.quote(activate)}.fish; and source {shlex.quote(activate)}.fish"),
            "variables": variables,
        }
    return {"argv": (program, "-i"), "variables": variables}
