"""What repair plans are made from, as records. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from provisioner.catalogue.fits import Companion
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.environment.workspace import STATE
from provisioner.model.catalogue import Link, Lock
from provisioner.model.cause import Order
from provisioner.model.conda_package import CondaPackage, CondaSource
from provisioner.model.plan import Choice, Edit, Moved
from provisioner.model.record import record
from provisioner.plan.neighbours import Around, look_around
from provisioner.plan.parts import PlanInputs


@record
class CondaInputs:
    """What repairs of a conda environment are made from.

    ``there`` are the packages by name, version and build. Those of ``linkable`` can be linked anew: their records, or what an earlier run or the
    cache knows of them, tell address and hash; among them are those of an earlier run of which nothing is there any more. ``own`` maps the
    metadata folders (relative) of distributions that are conda's to the package. ``depends`` are the match specs of each. ``edits`` are the
    activation files of an environment made anew, ``solved`` what such a one is made of, once that is known. The rest is as in ``CondaPart``.
    """

    source: CondaSource
    there: tuple[str, ...]
    linkable: Mapping[str, CondaPackage]
    own: Mapping[str, str]
    depends: Mapping[str, tuple[str, ...]]
    specs: tuple[str, ...]
    virtual: tuple[str, ...]
    channels: tuple[str, ...]
    cache: str
    edits: tuple[Edit, ...] = ()
    solved: tuple[CondaPackage, ...] = ()


@record
class RepairInputs:
    """What repair plans are made from.

    The set of ``common`` is the catalogue's for the release that is installed, with TensorFlow under the name ``own`` and with the files of what
    else is restored; there is none where the catalogue has none for this Python. ``installed`` and ``markers`` (PEP 508) answer who requires
    what. ``asides`` maps each entry that this user may rename to the free name beside it. ``config`` is the text of ``pyvenv.cfg``. ``carried``
    are the links that an earlier run made, ``links`` those of the set. ``conda`` is the conda half (None for a virtual environment).
    ``causes`` tells which lie in the packages. ``members`` are the names of the set's own packages, ``companions`` the
    catalogue's add-ons. ``eased`` are those of the set's packages that come in another version for the sake of what is restored. ``along``
    are names of what comes with the repair in another version: the user's own that would break, and what that needs.
    """

    common: PlanInputs
    own: str
    links: tuple[Link, ...] = ()
    carried: tuple[Link, ...] = ()
    installed: tuple[Installed, ...] = ()
    markers: Mapping[str, str]
    asides: Mapping[str, str]
    config: str = ""
    conda: CondaInputs | None = None
    members: frozenset[str] = frozenset()
    causes: Order
    companions: tuple[Companion, ...] = ()
    eased: frozenset[str] = frozenset()
    along: frozenset[str] = frozenset()

    @property
    def around(self) -> Around:
        """What lies there, as the rule of what becomes of it asks for it (``plan.neighbours``)."""
        return look_around(self.installed, self.markers, frozenset(self.members or self.locked), self.companions)

    @property
    def site(self) -> Site:
        """What lies in the environment."""
        return self.common.site

    @property
    def choice(self) -> Choice:
        """Release, Python and device that it is mended to."""
        return self.common.choice

    @property
    def lock(self) -> Lock | None:
        """The set."""
        return self.common.lock

    @property
    def locked(self) -> dict[str, str]:
        """The versions of the set, by name."""
        return {file.name: file.version for file in self.common.files}

    def with_lock(self, lock: Lock) -> RepairInputs:
        """Return the inputs with another set."""
        return replace(self, common=replace(self.common, lock=lock))

    def with_moved(self, lock: Lock, moved: tuple[Moved, ...]) -> RepairInputs:
        """Return the inputs with a set of which some packages were exchanged; one that was so before is told once, by the set's own version."""
        found = {item.name: item for item in self.common.moved}
        for item in moved:
            earlier = found.pop(item.name, None)
            joined = item if earlier is None else replace(item, pin=earlier.pin, keeps=tuple(sorted({*earlier.keeps, *item.keeps})))
            found |= {item.name: joined} if joined.version != joined.pin else {}
        return replace(self, common=replace(self.common, lock=lock, moved=tuple(found.values())))

    def inside(self, path: str) -> str:
        """Return an absolute path relative to the environment, or "" when it is not in it, or is the tool's own."""
        root = self.site.state.path
        found = posixpath.relpath(path, root) if path.startswith(root + "/") else ""
        return "" if found.split("/", maxsplit=1)[0] in {"", "..", STATE} else found
