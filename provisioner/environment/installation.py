"""A Python installation itself, which is no environment and is never changed: how it is told, who manages it, and what is not pip's in it."""

from __future__ import annotations

import posixpath
import re

from provisioner.environment.distributions import Installed
from provisioner.environment.layout import CONDA, CONFIG, layout
from provisioner.host import Reader, files

MARKER = "EXTERNALLY-MANAGED"
# INSTALLER (PEP 376) of what people install; dpkg, rpm and pacman write another name, or none.
_BY_HAND = frozenset({"pip", "uv", "poetry", "pdm", "conda"})
# Where Debian's and Ubuntu's own packages lie (Debian Python Policy, 3.1.2); pip has /usr/local.
_DEBIAN = "/dist-packages"
_SYSTEM = re.compile(r"/usr/lib(64)?/")


def is_installation(reader: Reader, root: str) -> bool:
    """True where a Python with a standard library of its own is, and no environment (a virtual one has none of its own, PEP 405)."""
    if any(files.there(reader, posixpath.join(root, sign)) for sign in (CONFIG, CONDA)):
        return False
    place = files.glob_escape(root)
    return any(files.matches(reader, posixpath.join(place, pattern)) for pattern in layout(reader.platform).standard)


def installation_of(reader: Reader, python: str) -> str:
    """Return the root of the installation that an interpreter (absolute) belongs to, "" where it is none's or an environment's."""
    folder = posixpath.dirname(files.real(reader, python))
    return next((root for root in (posixpath.dirname(folder), folder) if is_installation(reader, root)), "")


def is_virtual(reader: Reader, root: str) -> bool:
    """True for a virtual environment; one without its ``pyvenv.cfg`` still has its activate script, and no standard library of its own."""
    if files.there(reader, posixpath.join(root, CONFIG)):
        return True
    shape = layout(reader.platform)
    packages = files.matches(reader, posixpath.join(files.glob_escape(root), shape.packages))
    return bool(packages) and not is_installation(reader, root) and files.there(reader, posixpath.join(root, shape.activate))


def is_managed(reader: Reader, root: str) -> bool:
    """True where pip refuses to install: others (the operating system, uv) manage the Python at ``root``, and say so by a file (PEP 668)."""
    return bool(root and files.matches(reader, posixpath.join(files.glob_escape(root), layout(reader.platform).library, MARKER)))


def of_the_system(reader: Reader, item: Installed) -> bool:
    """True for a distribution of the operating system's package manager, which has records of its own.

    RECORD, where it has one, is of the wheel that was made on the way: libraries were stripped since, and files put elsewhere.
    """
    if not _SYSTEM.match(item.site):
        return False
    return item.site.endswith(_DEBIAN) or files.line(reader, posixpath.join(item.metadata, "INSTALLER")) not in _BY_HAND
