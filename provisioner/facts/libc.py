"""The C library of the system: glibc or musl, and its version.

Wheels are built for one of them and name the oldest version they run on (PEP 600, PEP 656).
"""

from __future__ import annotations

import re

from provisioner.facts import elf
from provisioner.host import Reader, files
from provisioner.model.facts import Fact, Libc, absent, known, unknown

GLIBC = "libc.so.6"
# Where the loaders lie by each system's ABI; asked when the running Python names none (a static one).
LOADERS = {
    "x86_64": ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"),
    "aarch64": ("/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"),
    "ppc64le": ("/lib64/ld64.so.2",),
    "s390x": ("/lib/ld64.so.1",),
    "armv7l": ("/lib/ld-linux-armhf.so.3",),
    "i686": ("/lib/ld-linux.so.2",),
}


def parse_glibc(data: bytes) -> str:
    """The version in the bytes of ``libc.so.6``; empty when it is not glibc.

    1. its banner, ``GNU C Library (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.``;
    2. the newest of its symbol versions, ``GLIBC_2.36`` (development versions have no such banner).
    """
    at = data.find(b"stable release version ")
    if at >= 0:
        found = re.match(rb"stable release version (\d+\.\d+)", data[at : at + 64])
        if found:
            return found[1].decode()
    versions = {(int(a), int(b)) for a, b in re.findall(rb"\0GLIBC_(\d{1,2})\.(\d{1,3})(?=[.\0])", data)}
    return "{}.{}".format(*max(versions)) if versions else ""


def parse_musl(text: str) -> str:
    """The version that musl's loader prints on its standard error; empty when it is not musl.

    ::

        musl libc (x86_64)
        Version 1.2.4
        Dynamic Program Loader
    """
    found = re.search(r"musl libc.{0,200}\nVersion (\d+\.\d+)", text)
    return found[1] if found else ""


def probe(host: Reader) -> Fact[Libc]:
    """1. the loader that the running Python names; 2. the usual loaders. glibc is read from the file beside it, musl's loader is asked."""
    if host.platform != "linux":
        return absent("", "only Linux lets programs choose between C libraries")
    loader = own_loader(host) or next((path for paths in LOADERS.values() for path in paths if files.there(host, path)), "")
    if not loader:
        return unknown("", "no program loader was found")
    return _musl(host, loader) if "musl" in loader else _glibc(host, loader)


def own_loader(host: Reader) -> str:
    """The path of the loader that the running Python names; empty when it names none that is there."""
    try:
        own = elf.read_elf(host, host.python).loader
    except files.FAULTS:
        return ""
    return own if own and files.there(host, own) else ""


def has_loader(host: Reader, architecture: str) -> bool:
    """True when programs for the architecture can be loaded here; of one whose loader is not known, it is taken to be so."""
    paths = LOADERS.get(architecture, ())
    return not paths or any(files.there(host, path) for path in paths)


def _glibc(host: Reader, loader: str) -> Fact[Libc]:
    path = files.real(host, loader).rsplit("/", 1)[0] + "/" + GLIBC
    try:
        version = parse_glibc(host.read_bytes(path))
    except files.FAULTS as error:
        return unknown(path, f"cannot be read: {files.reason(error)}")
    return known(Libc(kind="glibc", version=version), path) if version else unknown(path, "the file names no version")


def _musl(host: Reader, loader: str) -> Fact[Libc]:
    try:
        version = parse_musl(host.run([loader], timeout=5).err)
    except files.FAULTS as error:
        return unknown(loader, files.reason(error))
    return known(Libc(kind="musl", version=version), loader) if version else unknown(loader, "musl's loader names no version")
