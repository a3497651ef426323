"""A Python of another architecture: Debian's own packages, taken apart into a folder, nothing installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

VERSION = "3.11"
LIBRARIES = ("libc6", "zlib1g", "libexpat1", "libffi8", "libbz2-1.0", "liblzma5", "libuuid1")
PYTHON = (f"python{VERSION}-minimal", f"libpython{VERSION}-minimal", f"libpython{VERSION}-stdlib")
NEEDS = ("apt-get", "dpkg-deb")


def foreign_python(architecture: str, folder: Path) -> Path:
    """Return a root folder with Debian's Python 3.11 for ``i386`` or ``arm64`` in usr/bin, made once in ``folder``.

    apt gets lists and a cache of its own, so that the system's architectures stay as they are. On another release than Debian 12 there is no
    such package, and ``LookupError`` says so.
    """
    root = folder / f"debian-{architecture}"
    if (root / "usr/bin" / f"python{VERSION}").exists():
        return root
    state = folder / f"apt-{architecture}"
    for name in ("lists/partial", "cache/archives/partial", "files"):
        (state / name).mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={state}/lists", "-o", f"Dir::Cache={state}/cache"]
    apt += ["-o", f"APT::Architectures={architecture}", "-o", f"APT::Architecture={architecture}"]
    # Other repositories that the machine knows may lack the architecture, which is no fault here.
    subprocess.run([*apt, "update"], check=False, capture_output=True)
    wanted = [f"{name}:{architecture}" for name in (*PYTHON, *LIBRARIES)]
    done = subprocess.run([*apt, "download", *wanted], check=False, capture_output=True, text=True, cwd=state / "files")
    if done.returncode:
        raise LookupError(f"no Python {VERSION} for {architecture}: {done.stderr[-400:]}")
    for package in sorted((state / "files").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    return root
