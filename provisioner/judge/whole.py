"""The one definition of *whole*: what of an environment's files, and of what its packages require, is not as it should be.

Each such thing is a ``Mark``. ``plan`` is empty only where there is none; ``doctor`` and ``verify`` tell each, as an error or a warning; a change
stays only where it brought none that was not agreed to. What only the import can tell, or only a GPU, is not here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from provisioner.base.names import is_rival
from provisioner.catalogue.published import Contradiction
from provisioner.environment.layout import CONFIG
from provisioner.host import Reader, files
from provisioner.judge import conda_files
from provisioner.judge.comparing import DAMAGE, FaultKind
from provisioner.judge.integrity import Integrity, check
from provisioner.judge.markers import markers_of
from provisioner.judge.memory import Memory
from provisioner.judge.requirements import Unmet, unmet
from provisioner.model.mark import Mark, MarkKind
from provisioner.model.record import record

_KINDS: Mapping[FaultKind, MarkKind] = {
    **dict.fromkeys(DAMAGE, "file"),
    "two writers": "two writers",
    "no record": "record",
    "no metadata": "record",
    "leftover": "leftover",
    "stray": "stray",
}


def marks(state: Integrity, missing: tuple[Unmet, ...]) -> tuple[Mark, ...]:
    """Return all that keeps an environment from being whole; none where it is. Pure."""
    found = [
        Mark(kind=_KINDS[fault.kind], distribution=fault.distribution, where=fault.path, words=fault.detail)
        for fault in state.faults
        if fault.kind in _KINDS
    ]
    found += [
        Mark(kind="file", distribution=f"conda's {fault.package}", where=fault.path, words=fault.detail)
        for fault in conda_files.of_packages(state.conda)
    ]
    found += [
        Mark(
            kind="rivals", distribution=item.name, where=item.metadata, words=f"{item.name} {item.version} owns the tensorflow folder, too"
        )
        for item in state.distributions
        if item.name in state.rivals
    ]
    found += _twice(state)
    found += [
        Mark(kind="requirement", distribution=item.distribution, where="", words=item.sentence, about=item.name)
        for item in missing
        if not item.note
    ]
    return tuple(found)


def _twice(state: Integrity) -> list[Mark]:
    """Two metadata folders of one name; where one is conda's, that is told of conda's package."""
    conda = state.conda.own if state.conda is not None else frozenset[str]()
    places: dict[tuple[str, str], list[str]] = {}
    for item in state.distributions:
        places.setdefault((item.site, item.name), []).append(item.metadata)
    return [
        Mark(kind="twice", distribution=name, where=path, words=f"{name} is there twice")
        for (_, name), paths in places.items()
        if len(paths) > 1 and not conda & set(paths)
        for path in paths
    ]


@record
class Judged:
    """An environment as it is: ``state`` is what was read of its files."""

    state: Integrity
    marks: tuple[Mark, ...]

    @property
    def whole(self) -> bool:
        """True where nothing is wrong with files and requirements."""
        return not self.marks

    @property
    def broken(self) -> dict[str, str]:
        """The distributions whose own files are not as they should be, each with the first reason in words."""
        found: dict[str, str] = {}
        for mark in self.marks:
            if mark.distribution and mark.kind != "requirement":
                found.setdefault(mark.distribution, _reason(mark))
        strays = next((mark for mark in self.marks if mark.kind == "stray"), None)
        for item in self.state.distributions if strays is not None else ():
            # What nobody owns in its folder is imported all the same; installing it anew takes the folder out.
            if is_rival(item.name):
                found.setdefault(item.name, "code in its folder belongs to no package")
        return found


def _reason(mark: Mark) -> str:
    what = posixpath.basename(mark.where)
    return mark.words if mark.kind in {"two writers", "rivals", "twice"} else f"{what}: {mark.words}"


def read(reader: Reader, root: str, python: str, *, published: frozenset[Contradiction], memory: Memory | None = None) -> Judged:
    """Judge the environment at ``root`` (absolute, real) by its files alone; ``python`` is its Python's version. Nothing of it is started.

    Where it shows the packages of its base (``pyvenv.cfg``), what a package requires may be there, and only its interpreter can tell.
    """
    state = check(reader, root, published=published, memory=memory)
    missing = () if shows_base(reader, root) else unmet(state.distributions, markers_of(python))
    return Judged(state=state, marks=marks(state, missing))


def shows_base(reader: Reader, root: str) -> bool:
    """Whether the packages of the Python that it was made from are seen in the environment at ``root``, too (``pyvenv.cfg``)."""
    config = (files.read(reader, posixpath.join(root, CONFIG)).text or "").lower()
    return any(line.partition("=")[0].strip() == "include-system-site-packages" and "true" in line for line in config.splitlines())
