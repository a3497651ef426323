"""The stages of ``tfsetup init``: what is declared already, what is there, a first declaration, consent, the file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from provisioner.base.progress import SILENT, Progress
from provisioner.choose.obstacles import listed
from provisioner.commands import plan as planning
from provisioner.commands.init_lists import from_lists
from provisioner.declared import find
from provisioner.declared.elsewhere import Answer
from provisioner.declared.lists import read_lists
from provisioner.environment.read import read_site
from provisioner.errors import CouldNotTellError, InputError
from provisioner.lock import starter, starter_text
from provisioner.model.request import Request
from provisioner.session import Session


def init(
    session: Session,
    request: Request,
    folder: str,
    *,
    agree: Callable[[str], None],
    answer: Answer | None = None,
    progress: Progress = SILENT,
) -> starter.First:
    """Write a first ``tfsetup.yaml`` into ``folder`` (absolute), from the environment that is there, or for this machine.

    ``agree`` is asked, with the path, before a file that is there is replaced; it raises where nobody does. ``answer`` says which packages come from
    an index that the lists name; None where nobody can be asked. Raises ``InputError`` where the project
    is declared elsewhere or the file cannot be written, ``CouldNotTellError`` where the platform is not known.
    """
    host = session.host
    file = posixpath.join(folder, find.FILE)
    there = find.find(host, folder)
    if there is not None and not there.is_yaml:
        hint = f"add targets there; a {find.FILE} beside it would be a second declaration"
        raise InputError("has a [tool.tfsetup] already", place=there.file, hint=hint)
    said, origin = _declared(session, request, folder, file, answer, progress)
    if there is not None:
        agree(file)
    try:
        host.write(file, starter_text.text_of(said, origin))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=file) from None
    return said


def _declared(
    session: Session, request: Request, folder: str, file: str, answer: Answer | None, progress: Progress
) -> tuple[starter.First, str]:
    """Return what is to be declared, and what it was taken from in words."""
    host, platform = session.host, session.platform
    if not platform:
        raise CouldNotTellError("could not tell what platform this machine is", hint="write the file by hand: docs/teams.md")
    root = request.env
    site = read_site(host, root)
    if site.state.exists:
        facts = session.detect(env=root, full=False)
        said = starter.from_environment(host, site, facts, platform, session.catalogue, file=file)
        name = posixpath.relpath(root, folder)
        if beside := read_lists(host, folder, platform).read:
            unread = f"{listed(list(beside))}: not read, for the environment {name} is there; `tfsetup init --env new-env` reads lists"
            said = replace(said, warnings=(*said.warnings, unread))
        return said, f"the environment {name}"
    lists = read_lists(host, folder, platform)
    if not lists.read:
        planned = planning.plan(session, request)
        choice = planned.plan.choice
        source = request.source if request.kind == "conda" else "wheels"
        target = starter.make_target(platform, choice.device, choice.python, planned.facts, request.kind, source)
        return starter.First(file=file, tensorflow=choice.release, targets=(target,)), "what fits the machine it was called on"
    return from_lists(session, request, lists, file, answer, progress), listed(list(lists.read))
