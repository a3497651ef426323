"""What is there, as it is judged: which packages a plan installs anew, and which may stay in another version than the set's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from provisioner.base.names import is_rival
from provisioner.catalogue.fits import Fits
from provisioner.environment.read import Site
from provisioner.judge import whole
from provisioner.judge.memory import memory_of
from provisioner.judge.whole import Judged
from provisioner.model.catalogue import Lock
from provisioner.model.mark import Mark
from provisioner.model.record import record
from provisioner.session import Session


@record
class Present:
    """``marks`` is all that is wrong; ``broken`` are the distributions whose files are, with the reason.

    ``fitting`` are those that stay in another version than the set's, with that.
    """

    marks: tuple[Mark, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    fitting: Mapping[str, str] = field(default_factory=dict)


NOTHING = Present()


def present(session: Session, site: Site, lock: Lock | None, *, exact: bool) -> Present:
    """Judge what is there by its files; ``exact``: what is to be there is said by hash, so that no other version does."""
    state = site.state
    if not state.exists or not state.site_packages:
        return NOTHING
    catalogue = session.catalogue
    judged = whole.read(session.host, state.path, state.python_version, published=catalogue.published(), memory=memory_of(session))
    # In an environment that tfsetup did not make, nothing was ever promised: there the set is what it offers.
    fits = fitting(site, lock, judged, catalogue.fits()) if lock is not None and state.managed and not exact else {}
    return Present(marks=judged.marks, broken=judged.broken, fitting=fits)


def fitting(site: Site, lock: Lock, judged: Judged, fits: Fits) -> dict[str, str]:
    """Return the packages that meet all that is required, and are not known to fail; none where the TensorFlow that is there is not the set's. Pure.

    Whoever has upgraded one package within what the others ask for has broken nothing, and no change is needed.
    """
    own = next((file for file in lock.files if is_rival(file.name)), None)
    if own is None or not any((item.name, item.version) == (own.name, own.version) for item in site.distributions):
        return {}
    wanted = {file.name: file.version for file in lock.files}
    bad = {mark.about for mark in judged.marks} | {mark.distribution for mark in judged.marks}
    return {
        item.name: item.version
        for item in site.distributions
        if item.name in wanted
        and item.version != wanted[item.name]
        and not is_rival(item.name)
        and item.name not in bad
        and not fits.known_bad(item.name, item.version, lock.release, lock.python)
    }
