"""The stages of ``tfsetup init``: what is declared already, what is there, a first declaration, consent, the file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from provisioner.base.names import normalise
from provisioner.base.progress import SILENT, Progress
from provisioner.base.requirement import name_of
from provisioner.catalogue import Catalogue
from provisioner.choose.obstacles import listed
from provisioner.commands import plan as planning
from provisioner.engines import built_in
from provisioner.environment.read import read_site
from provisioner.errors import CouldNotTellError, InputError, NoProfileError
from provisioner.lock import dates, find, starter
from provisioner.lock.elsewhere import Answer, answered
from provisioner.lock.inputs import read_inputs
from provisioner.lock.lists import Lists, read_lists
from provisioner.lock.pythons import Wanted, going_or_nothing
from provisioner.model.catalogue import ComputeDevice
from provisioner.model.request import Request
from provisioner.model.team import Inputs
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
        host.write(file, starter.text_of(said, origin))
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
        target = starter.make_target(platform, choice.device, choice.python, planned.facts)
        return starter.First(file=file, tensorflow=choice.release, targets=(target,)), "what fits the machine it was called on"
    facts = session.detect(env=root, full=False)
    device: ComputeDevice = "cuda" if request.device == "cuda" else "cpu"
    release, python = starter.choose_python(session.catalogue, lists, platform, device)
    if not release:
        raise _no_release(lists, platform, session.catalogue)
    indexes = answered(lists.elsewhere, answer) if answer is not None else ()
    target = starter.make_target(platform, device, python, facts)
    said = starter.from_lists(lists, lists.tensorflow or release, target, indexes, file=file)
    # An index in the place of PyPI is asked when it is locked, with this person's word.
    if not request.offline and all(index.packages for index in indexes):
        said = _with_python(session, said, lists, progress)
    return said, listed(list(lists.read))


def _with_python(session: Session, said: starter.First, lists: Lists, progress: Progress) -> starter.First:
    """Return the first file with the Python that goes with all that the lists ask for, and the release that it brings; the index is asked.

    Where none goes, not even with each by itself, or what the lists hold cannot be asked for, it stays with the newest: `tfsetup lock` says why.
    """
    try:
        inputs = _without(read_inputs(session.host, starter.declared(said)), said)
    except InputError:
        return said
    progress.start("python", "Asking the index which Python goes with the lists")
    start = dates.first(session.host.now(), 0)
    with session.scratch("lock") as folder:
        wanted = Wanted(
            target=said.targets[0],
            inputs=inputs,
            tensorflow=lists.tensorflow,
            python=lists.python,
            cutoff=start,
            folder=folder,
            built_in=built_in.address(session.host, (), folder=folder),
        )
        found = going_or_nothing(session.host, session.catalogue, wanted)
    alone = f"none does together; Python {found.python} is the newest that each goes with" if found else "none does"
    progress.finish(f"Python {found.python}" if found and found.together else alone)
    if found is None:
        return said
    return replace(
        said, tensorflow=lists.tensorflow or found.release, targets=tuple(replace(target, python=found.python) for target in said.targets)
    )


def _without(inputs: Inputs, said: starter.First) -> Inputs:
    """Leave out what comes from an index of its own, which is asked when it is locked."""
    own = {name for index in said.indexes for name in index.packages}
    return replace(inputs, requirements=tuple(text for text in inputs.requirements if normalise(name_of(text)) not in own))


def _no_release(lists: Lists, platform: str, catalogue: Catalogue) -> NoProfileError:
    asked = f"TensorFlow {lists.tensorflow or 'of any release'} with Python {lists.python or 'of any release'}"
    near = starter.nearest(catalogue, lists.tensorflow, platform)
    hint = f"TensorFlow {near} is the nearest that is: write `tensorflow=={near}` there; " if near else ""
    hint += "`tfsetup profiles --all` shows what is known to be good"
    return NoProfileError(
        f"no set for {platform} is known to be good that has {asked}, as {listed(list(lists.read))} would have it", hint=hint
    )
