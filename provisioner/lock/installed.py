"""What an environment was made of: the distributions that somebody asked for, as against those that came along because another needs them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import applies, read_requirement
from provisioner.environment.distributions import Installed, read_installed
from provisioner.environment.read import Site
from provisioner.host import Reader

# What makes and fills environments, and this tool itself; nobody needs them to be locked.
_TOOLS = frozenset({"distribute", "pip", "setuptools", "tfsetup", "uv", "wheel"})
# The extra of TensorFlow that brings the CUDA libraries (its own metadata, from 2.14 on).
_CUDA_EXTRA = "and-cuda"


def read_whole(reader: Reader, site: Site) -> tuple[Installed, ...]:
    """Return all that is installed, by name, with what the metadata of each tells."""
    paths = [posixpath.join(site.state.path, item.metadata) for item in site.distributions]
    whole = [read_installed(reader, reader.entry(path)) for path in paths]
    # Names and versions are those of the folders, as everywhere in a site.
    return tuple(replace(read, name=item.name, version=item.version) for item, read in zip(site.distributions, whole, strict=True))


def asked_for(distributions: Iterable[Installed], markers: Mapping[str, str], known: Iterable[str] = ()) -> tuple[Installed, ...]:
    """Return the distributions that nothing else there requires, without TensorFlow, what it needs, and the tools that fill environments.

    ``markers`` is the environment for markers (PEP 508); ``known`` are names of the known-good set. Of distributions that require each other
    in a circle, and nothing else requires, the first by name is taken.
    """
    there = {item.name: item for item in distributions}
    needs = {name: {other for other in _needs(item, markers) if other in there and other != name} for name, item in there.items()}
    given = {name for name in there if is_rival(name)} | (set(known) & set(there))
    covered = _reach(needs, given | (_TOOLS & set(there)))
    wanted = []
    required = set().union(*(needs[name] for name in there)) if there else set()
    for name in [*sorted(set(there) - required), *sorted(required)]:
        if name not in covered:
            wanted.append(there[name])
            covered |= _reach(needs, {name})
    return tuple(sorted(wanted, key=lambda item: item.name))


def _needs(item: Installed, markers: Mapping[str, str]) -> Iterable[str]:
    extras = ("", _CUDA_EXTRA) if is_rival(item.name) else ("",)
    for text in item.requires:
        try:
            requirement = read_requirement(text)
        except ValueError:
            # Old distributions have such; what they mean, nobody can tell.
            continue
        if any(applies(requirement, {**markers, "extra": extra}) for extra in extras):
            yield normalise(requirement.name)


def _reach(needs: Mapping[str, set[str]], start: Iterable[str]) -> set[str]:
    """Return the names and all that they need, however far away."""
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += needs.get(name, ())
    return seen
