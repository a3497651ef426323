"""What source distributions say of what they need without being run: core metadata (PKG-INFO), or setuptools' ``requires.txt`` beside it.

It is a guess: a ``setup.py`` may compute something else. It serves to ask one question instead of one for each layer of what needs what.

Sources: the source distribution format (PyPA specifications; PEP 643: what is not ``Dynamic`` is true of every wheel); setuptools' documentation,
"Development Mode and egg-info", requires.txt.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from provisioner import __version__
from provisioner.base.requirement import read_requirement
from provisioner.engines import builds
from provisioner.engines.resolving import Job
from provisioner.engines.source_tree import Metadata
from provisioner.engines.wheels import Wheel
from provisioner.errors import OperationError
from provisioner.host import PRIVATE, Host
from provisioner.model import codec

# Larger source distributions are not fetched before somebody agreed to build them (pyspark has 300 MB).
LARGEST_BYTES = 8 << 20
# Of a file of theirs no more is read than so many bytes.
LONGEST = 1 << 22
_SECTION = re.compile(r"\[([A-Za-z0-9._-]*)(?::(.*))?\]")


def stated_by(host: Host, job: Job, wheels: Sequence[Wheel], watch: Callable[[int], None] | None = None) -> dict[str, Metadata]:
    """Return what source distributions of an index state, by package; what cannot be had, or says nothing, is taken to need nothing."""
    return {wheel.package: _stated(host, job, wheel, watch) for wheel in wheels}


def _stated(host: Host, job: Job, wheel: Wheel, watch: Callable[[int], None] | None) -> Metadata:
    nothing = Metadata(name=wheel.package, version=wheel.version)
    if not wheel.sha256 or wheel.direct or wheel.size > LARGEST_BYTES:
        return nothing
    kept = (
        posixpath.join(job.cache, f"stated-{hashlib.sha256(f'{__version__} {wheel.sha256}'.encode()).hexdigest()}.json")
        if job.cache
        else ""
    )
    if kept and host.exists(kept):
        return codec.from_data(Metadata, codec.parse_json(host.read_text(kept), file=kept), file=kept)
    place = posixpath.join(job.folder, f"stated-{wheel.package}")
    try:
        said = _said(host, builds.fetched(host, job, wheel, posixpath.join(place, "fetched"), watch))
    except OperationError:
        return nothing
    finally:
        host.remove_tree(place)
    found = replace(nothing, requires=said[0], extras=said[1])
    if kept:
        host.write(kept, json.dumps(codec.to_data(found)), mode=PRIVATE)
    return found


def _said(host: Host, tree: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return requirements and extras of an unpacked source distribution."""
    core = posixpath.join(tree, "PKG-INFO")
    found = parse_core(host.read_text(core, LONGEST)) if host.exists(core) else ((), ())
    below = (
        path for path in host.files_below(tree) if re.fullmatch(r"(?:\w+/)?[^/]+\.egg-info/requires\.txt", path.removeprefix(f"{tree}/"))
    )
    listed = "" if found[0] else min(below, default="")
    return parse_requires(host.read_text(listed, LONGEST)) if listed else found


def parse_core(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the requirements and extras of core metadata."""
    from email.parser import HeaderParser  # noqa: PLC0415 - 7 ms, and only where source is asked for

    # A value with bytes that are no UTF-8 would come as no text.
    message = HeaderParser().parsestr(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return tuple(_readable(message.get_all("Requires-Dist") or ())), tuple(message.get_all("Provides-Extra") or ())


def parse_requires(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the requirements and extras of ``requires.txt``: lines under ``[extra:marker]``, those without either at the top."""
    marker, found = "", list[str]()
    extras: dict[str, None] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        section = _SECTION.fullmatch(line)
        if section is None:
            found.append(f"{line} ; {marker}" if marker else line)
            continue
        extras |= {section[1]: None} if section[1] else {}
        marker = " and ".join(filter(None, [f"({section[2]})" if section[2] else "", f'extra == "{section[1]}"' if section[1] else ""]))
    return tuple(_readable(found)), tuple(extras)


def _readable(texts: Iterable[str]) -> Iterator[str]:
    """Yield those that are requirements on packages of an index, in one spelling: no address is asked for a guess."""
    for text in texts:
        try:
            requirement = read_requirement(" ".join(text.split()))
        except ValueError:
            continue
        if not requirement.url:
            yield str(requirement)
