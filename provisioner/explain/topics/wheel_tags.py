"""A wheel is refused: what the tags of its name ask for, against the interpreter and the system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import Version
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, says
from provisioner.explain.words import dotted

_TAG = re.compile(r"(?:cp|py)(\d)(\d*)-(\w+?)-([\w.]+?)(?:\.whl)?$")
# The tag systems that a file name can name, as the catalogue calls them.
_SYSTEMS = (("win", "windows"), ("macosx", "macos"), ("manylinux", "linux"), ("musllinux", "linux"), ("linux", "linux"))


def tags(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``is not a supported wheel on this platform``: what the file's name asks for, against this interpreter."""
    now = case.circumstances
    hit = max(hits, key=lambda item: len(item.group("wheel")))
    name = hit.group("wheel") or next((found[0] for found in re.finditer(r"(?<![\w.+-])[\w.+-]+\.whl", case.log.text)), "")
    found = _TAG.search(name)
    if not found:
        yield says(hit, "python-unsupported", "possible")
        yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)
        return
    system = next((value for key, value in _SYSTEMS if found[4].startswith(key)), "")
    arch = next(
        (value for key, value in (("arm64", "aarch64"), ("aarch64", "aarch64"), ("armv7l", "armv7l"), ("64", "x86_64")) if key in found[4]),
        "",
    )
    python: Version = (int(found[1]), int(found[2])) if found[2] else ()
    verdicts = []
    if (system and now.os and system != now.os) or (arch and now.arch and now.arch not in {arch, "i686"}):
        verdicts.append(says(hit, "platform-unsupported", grade=PROVES, why=f"the wheel is for {system} {arch}, this is {now.platform}"))
    if now.musl and "manylinux" in found[4]:
        verdicts.append(says(hit, "platform-unsupported", grade=PROVES, why="the wheel is for glibc, this is musl"))
    if python and now.python and python != now.python and "abi3" not in name:
        why = f"the wheel is for Python {dotted(python)}, this is {dotted(now.python)}"
        verdicts.append(says(hit, "python-unsupported", grade=PROVES, why=why))
    if now.bits == 32:  # noqa: PLR2004 - bits
        verdicts.append(says(hit, "python-32bit", "certain", grade=PROVES, why="the Python is a 32-bit one"))
    floor = re.match(r"macosx_(\d+)_(\d+)", found[4])
    if floor and now.macos and now.macos[:2] < (int(floor[1]), int(floor[2])):
        why = f"the wheel is for macOS {floor[1]}.{floor[2]} and later, this is {dotted(now.macos)}"
        verdicts.append(says(hit, "macos-too-old", grade=PROVES, why=why))
    if verdicts:
        yield from verdicts
        return
    settled = bool(python and now.python)
    if settled and floor and now.macos >= (11,) and int(floor[1]) < 11 and now.bits != 32:  # noqa: PLR2004 - macOS 11, bits
        why = "the Python and the system fit; a pip before 20.3 does not know that macOS 11 takes wheels for 10.x"
        yield says(hit, "pip-too-old", "likely", grade=TELLS, why=why)
    if settled and system == "windows" and now.os == system and not now.bits:
        why = "the Python and the system fit; what is left is a 32-bit Python"
        yield says(hit, "python-32bit", "likely", grade=TELLS, why=why)
    if settled and "manylinux" in found[4] and found[4] != "manylinux1_x86_64":
        yield says(hit, "pip-too-old", grade=TELLS, why=f"the Python fits; an old pip does not know {found[4]}")
    yield says(hit, "python-unsupported", "possible" if settled else "likely", grade=ALLOWS if settled else HINTS)
    yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)
    yield says(hit, "python-32bit", "possible", grade=ALLOWS if settled else GUESSES)


JUDGEMENTS = {"wheeltag": tags}
