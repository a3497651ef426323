"""What speaks for a system in the lines of a log: paths and words of its own, and what an installer says of it."""

from __future__ import annotations

import re
from typing import Literal

Os = Literal["", "linux", "macos", "windows"]

# What speaks for a system: texts, and expressions that begin with a letter of their own, which are found many times faster than others.
_SIGNS: dict[Os, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "windows": (
        # `cmdlet` and the five after it are of PowerShell and cmd, which find no such program.
        (
            "dll load failed",
            "win_amd64",
            "winerror",
            "cmdlet",
            "external command",
            "falsch geschrieben",
            "commande interne",
            "comando interno",
            "内部或外部",
            # The compiler that Python's build tools ask for there alone (setuptools, _distutils/_msvccompiler.py).
            "microsoft visual c++",
            # Its codes of how a process ended (ntstatus.h).
            "0xc00000",
            "-10737",
            "//./pipe/",
        ),
        (r":(?<=\b[a-z]:)\\", r"\\(?<!\b[a-z]:\\)lib\\site-packages", r"\.dll\b", r"\.pyd\b"),
    ),
    "macos": (("/users/", "dlopen(", "macosx", "darwin", "/library/frameworks", "xcrun:", "commandlinetools"), (r"\.dylib\b",)),
    "linux": (
        ("/home/", "/usr/lib/", "manylinux", "linux-gnu", "/root/", "dist-packages", "gnu/linux", "-tegra "),
        (r"l(?<!\wl)ib\w+\.so\b",),
    ),
}


def os_of_lines(lowered: str) -> Os:
    """The system that most of it speaks for, "" where nothing does."""
    counts = {
        name: sum(map(lowered.count, texts)) + sum(len(re.findall(pattern, lowered)) for pattern in patterns)
        for name, (texts, patterns) in _SIGNS.items()
    }
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


_SAID = re.compile(r"you're on (windows|macos|linux) \(`(\w{1,60})`\)")
_ARCHES = (("aarch64", "aarch64"), ("arm64", "aarch64"), ("armv7l", "armv7l"), ("x86_64", "x86_64"), ("amd64", "x86_64"))


def said_platform(lowered: str) -> tuple[Os, str]:
    """The system and processor that uv says it is on, beside the tags of other systems (crates/uv-resolver, hints); twice "" where it says none."""
    found = _SAID.search(lowered)
    if found is None:
        return "", ""
    os: Os = "windows" if found[1] == "windows" else "macos" if found[1] == "macos" else "linux"
    return os, next((arch for name, arch in _ARCHES if found[2].endswith(name)), "")
