"""The stages of ``tfsetup init`` where a project has lists: the kind of environment, and the release and the Python that go with them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from provisioner.base.names import normalise
from provisioner.base.progress import Progress
from provisioner.base.requirement import name_of
from provisioner.base.text import mask
from provisioner.catalogue import Catalogue
from provisioner.choose.obstacles import listed
from provisioner.declared import environment_file
from provisioner.declared.elsewhere import Answer, Elsewhere, answered
from provisioner.declared.environment_file import EnvironmentFile
from provisioner.declared.inputs import read_inputs
from provisioner.declared.lists import Lists
from provisioner.engines import built_in
from provisioner.errors import InputError, NoProfileError
from provisioner.facts import conda as conda_facts
from provisioner.lock import dates, starter
from provisioner.lock.choosing import set_device
from provisioner.lock.pythons import Wanted, going_or_nothing
from provisioner.model.catalogue import ComputeDevice
from provisioner.model.record import record
from provisioner.model.request import Kind, Request
from provisioner.model.team import Index, Inputs, Target
from provisioner.session import Session


@record
class Way:
    """What is declared for a project: ``why`` says how its kind was chosen, "" where a person said it."""

    kind: Kind
    device: ComputeDevice
    release: str
    python: str
    why: str = ""


def from_lists(session: Session, request: Request, lists: Lists, file: str, answer: Answer | None, progress: Progress) -> starter.First:
    """Return a first declaration; ``answer`` says which packages come from an index that the lists name, None where nobody can be asked.

    Raises ``NoProfileError`` where no release goes with what they say of TensorFlow and Python.
    """
    way = _way(session, request, lists)
    facts = session.detect(env=request.env, full=False)
    target = starter.make_target(session.platform, way.device, way.python, facts, way.kind)
    indexes = answered(lists.elsewhere, partial(_which, answer))
    said = starter.from_lists(lists, lists.tensorflow or way.release, target, indexes, file=file)
    if lists.environment is not None:
        said = _divided(said, lists.environment, way, session.catalogue)
    names = [
        f"{item.place}: {listed(list(item.index.packages))} from {mask(item.index.url)}"
        for item in lists.elsewhere
        if item.said and item.index
    ]
    said = replace(said, notes=(*said.notes, *names))
    # An index in the place of PyPI is asked when it is locked, with this person's word.
    if not request.offline and all(index.packages for index in indexes):
        said = _with_python(session, said, lists, progress)
    return said


def _which(answer: Answer | None, item: Elsewhere, index: Index) -> tuple[str, ...] | None:
    """Return what comes from an index: what the list itself says of it, else what a person answers."""
    if item.said:
        return index.packages
    return answer(item, index) if answer is not None else None


def _way(session: Session, request: Request, lists: Lists) -> Way:
    """Choose the kind of environment, and the newest release and Python that the lists admit for it.

    Who has an environment file means a conda environment where a conda is here, or where PyPI lacks something; a GPU that it asks for counts most.
    """
    given = request.kind if request.origins.get("kind", "default") != "default" else None
    found = lists.environment
    tools = [tool.name for tool in conda_facts.probe(session.host, full=False).value or ()]
    parts = environment_file.divided(found, session.catalogue.conda_names(), "venv") if found is not None else environment_file.Divided()
    first: Kind = given or ("conda" if found is not None and (tools or parts.lacking) else "venv")
    gpu = found is not None and (found.gpu or bool(parts.cuda))
    devices: tuple[ComputeDevice, ...] = (
        ("cuda",) if request.device == "cuda" else ("cuda", "cpu") if gpu and request.device == "auto" else ("cpu",)
    )
    others: tuple[Kind, ...] = () if given or found is None else ("venv",) if first == "conda" else ("conda",)
    for device in devices:
        for kind in (first, *(others if device == "cuda" else ())):
            release, python = starter.choose_python(session.catalogue, lists, session.platform, device, kind)
            if release:
                why = "" if given or found is None else _why(found, kind, tools, parts.lacking, release)
                return Way(kind=kind, device=device, release=release, python=python, why=why)
    raise _no_release(lists, session.platform, session.catalogue)


def _why(found: EnvironmentFile, kind: Kind, tools: list[str], lacking: tuple[str, ...], release: str) -> str:
    """Say what kind it is, for which reason, and how it becomes the other one."""
    other = {"conda": "venv", "venv": "conda"}[kind]
    words = {"conda": "a conda environment", "venv": "a virtual environment"}
    if kind == "venv":
        reason = "PyPI has what it names, and no conda is here" if not (tools or lacking) else "only PyPI has what computes on a GPU here"
    elif tools:
        reason = f"{tools[0]} is here"
    elif lacking:
        reason = f"nothing is known to be on PyPI of {listed(list(lacking))}"
    else:
        reason = f"only conda has the CUDA libraries of TensorFlow {release}"
    return f"{found.name}: {words[kind]}, for {reason}; `tfsetup init --kind {other}` declares {words[other]}"


def _divided(said: starter.First, found: EnvironmentFile, way: Way, catalogue: Catalogue) -> starter.First:
    """Return a first declaration with what an environment file asks of conda, and the words on what became of it."""
    (target,) = said.targets
    release = catalogue.release(way.release)
    build = release.build(target.platform) if release is not None else None
    lock = catalogue.lock(way.release, way.python, target.platform, set_device(target, build))
    proven = frozenset(file.name for file in lock.files) if lock is not None else frozenset()
    parts = environment_file.divided(found, catalogue.conda_names(), way.kind, proven)
    known = catalogue.conda().channels
    channels, gone = environment_file.channels(found.channels, known) if way.kind == "conda" else ((), ())
    notes = [*([way.why] if way.why else []), *environment_file.told(found, parts, catalogue.conda_names(), way.kind, gone, known)]
    if (found.gpu or parts.cuda) and way.device == "cpu":
        notes.append(
            f"{found.name} asks for a GPU, and no known-good set that its limits admit computes on one here: `device: cpu` is declared"
        )
    return replace(
        said,
        requirements=tuple(dict.fromkeys([*said.requirements, *parts.requirements])),
        conda=parts.conda,
        channels=channels,
        notes=(*said.notes, *notes),
    )


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
    targets: tuple[Target, ...] = tuple(replace(target, python=found.python) for target in said.targets)
    return replace(said, tensorflow=lists.tensorflow or found.release, targets=targets)


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
