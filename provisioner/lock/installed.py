"""What an environment was made of: the distributions that somebody asked for, as against those that came along because another needs them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import applies, read_requirement
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.host import Reader
from provisioner.model.record import record

# What makes and fills environments, and this tool itself; nobody needs them to be locked.
_TOOLS = frozenset({"distribute", "pip", "setuptools", "tfsetup", "uv", "wheel"})
# The extra of TensorFlow that brings the CUDA libraries (its own metadata, from 2.14 on).
_CUDA_EXTRA = "and-cuda"


@record
class Distribution:
    """An installed distribution: ``requires`` are PEP 508 texts of its metadata; ``direct`` is true where it came from no index (PEP 610)."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    direct: bool = False


def read_distributions(reader: Reader, site: Site) -> tuple[Distribution, ...]:
    """Read the metadata of all that is installed, by name."""
    return tuple(_read(reader, site.state.path, item) for item in site.distributions)


def _read(reader: Reader, root: str, item: Installed) -> Distribution:
    from email.parser import HeaderParser  # noqa: PLC0415 - 10 ms, only here

    folder = posixpath.join(root, item.metadata)
    requires: list[str] = []
    for path in (posixpath.join(folder, "METADATA"), posixpath.join(folder, "PKG-INFO"), folder):
        try:
            text = reader.read_text(path)
        except OSError:
            continue
        # The core metadata are headers of an e-mail (PEP 566).
        requires = [str(value) for value in HeaderParser().parsestr(text).get_all("Requires-Dist", [])]
        break
    direct = reader.exists(posixpath.join(folder, "direct_url.json"))
    return Distribution(name=item.name, version=item.version, requires=tuple(requires), direct=direct)


def asked_for(distributions: Iterable[Distribution], markers: Mapping[str, str], known: Iterable[str] = ()) -> tuple[Distribution, ...]:
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


def _needs(item: Distribution, markers: Mapping[str, str]) -> Iterable[str]:
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
