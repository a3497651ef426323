"""Build dist/tfsetup: one file with Python, uv and tfsetup, for Linux on x86-64 with glibc 2.31 or newer.

    python tools/standalone/build.py

Needs root on a Debian or Ubuntu (mmdebstrap, from its archive, is installed if it is not there), and minutes the first time: Python is built in a
folder of Debian 11, and kept in .cache/standalone. A real Python is in the file, because tfsetup starts its own interpreter again for what must be
able to fail alone (drivers, rattler, conda-lock), and because nothing has to be unpacked but once: PyInstaller's one file unpacks at each start.
"""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
KEPT = ROOT / ".cache" / "standalone"
TARGET = ROOT / "dist" / "tfsetup"
SUITE = "bullseye"
# What Python is built with, and busybox-static, which goes into the file: whoever starts it may have neither xz nor tar.
PACKAGES = "gcc libc6-dev make pkg-config libssl-dev zlib1g-dev libffi-dev libbz2-dev liblzma-dev xz-utils patchelf busybox-static"
# Of Debian 13's source package; the file stays on the mirrors as long as that release does.
PYTHON = "python3.13_3.13.5.orig.tar.xz"
PYTHON_SHA256 = "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640"
# Blocks, for several processors; BusyBox reads no filters for machine code.
COMPRESS = "xz -T4 --check=crc32 --block-size=48MiB --lzma2=preset=6,dict=32MiB"
RARE = (
    "pip",
    "setuptools",
    "virtualenv",
    "dulwich",
    "pygments",
    "cryptography",
    "conda_lock",
    "git",
    "keyring",
    "boltons",
    "distlib",
    "pydantic",
)
PLATFORM = "x86_64-manylinux_2_31"
# Left out of the standard library: windows of its own, its tests, and what builds extensions.
NEEDLESS = ("idlelib", "tkinter", "turtledemo", "test", "ensurepip", "lib2to3", "pydoc_data", "config-3.13-x86_64-linux-gnu", "__phello__")


def run(*argv: str | Path) -> str:
    """Run a program and return what it printed; what it says of a failure is shown."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{argv[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def mirror() -> str:
    """Return the mirror that this machine's apt uses."""
    found = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    return next((url for url in found if re.search(r"/debian/?$", url)), "http://deb.debian.org/debian").rstrip("/")


def old_debian() -> Path:
    """Return a folder of Debian 11 in which programs can be built, made if it is not there."""
    folder = KEPT / SUITE
    if not (folder / ".made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        if shutil.which("mmdebstrap") is None:
            run("apt-get", "update", "-qq")
            run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap")
        folder.parent.mkdir(parents=True, exist_ok=True)
        run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES.replace(' ', ',')}", SUITE, folder, mirror())
        (folder / ".made").touch()
    return folder


def python_of(debian: Path) -> Path:
    """Return the folder of the Python that was built in ``debian``, built if it is not there."""
    built = KEPT / f"python-{PYTHON_SHA256[:12]}"
    if not built.exists():
        with urllib.request.urlopen(f"{mirror()}/pool/main/p/python3.13/{PYTHON}") as answer:
            source = answer.read()
        if hashlib.sha256(source).hexdigest() != PYTHON_SHA256:
            sys.exit(f"{PYTHON} is not the file that was meant: another hash")
        (debian / "python.tar.xz").write_bytes(source)
        shutil.copy(HERE / "build.sh", debian / "build.sh")
        run("chroot", debian, "sh", "/build.sh")
        shutil.move(debian / "out" / "python", built)
        shutil.rmtree(debian / "src")
    return built


def tree_of(python: Path, tree: Path) -> str:
    """Fill ``tree`` with everything that the file holds, and return its version."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(python, tree, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.a", "include", "share", *NEEDLESS))
    uv = Path(sys.executable).parent / "uv"
    shutil.rmtree(KEPT / "wheel", ignore_errors=True)
    run(uv, "build", "--quiet", "--wheel", "--out-dir", KEPT / "wheel", ROOT)
    wheel = next((KEPT / "wheel").glob("tfsetup-*.whl"))
    interpreter = tree / "bin" / "python3.13"
    wanted = ("--only-binary", ":all:", "--python-platform", PLATFORM, "--python", interpreter, "--link-mode", "copy")
    run(uv, "pip", "install", "--quiet", "--break-system-packages", *wanted, wheel)
    for program in (tree / "bin").iterdir():
        if program.name not in {"python3", "python3.13", "uv"}:
            program.unlink()
    packages = tree / "lib" / "python3.13" / "site-packages"
    for library in [*packages.rglob("*.so"), *(tree / "lib").glob("*/lib-dynload/*.so"), *(tree / "lib").glob("*.so.*"), interpreter]:
        run("strip", "--strip-unneeded", library)
    shutil.copy(HERE / "start.py", tree / "bin" / "start.py")
    (tree / "whole").touch()
    # Byte code that need not be compared with its source, whose time is another after unpacking. What is rare makes its own when it is used.
    rarely = re.compile(
        "/site-packages/(?:pip|setuptools|virtualenv|dulwich|pygments|cryptography|conda_lock|git|keyring|boltons|distlib|pydantic)/"
    )
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(tree, quiet=2, workers=0, invalidation_mode=mode, stripdir=str(tree), rx=rarely)
    return wheel.name.split("-")[1]


def pack(tree: Path, tool: Path, version: str) -> None:
    """Write the file: the script, the tool that unpacks, and the tree."""
    archive = KEPT / "tree.tar.xz"
    sort = ("--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0")
    run("tar", "-c", *sort, "-C", tree.parent, "-I", COMPRESS, "-f", archive, "tree")
    data, unpacker = archive.read_bytes(), tool.read_bytes()
    text = (HERE / "start.sh").read_text(encoding="utf-8")
    given = {"@VERSION@": version, "@ID@": f"{version}-{hashlib.sha256(data).hexdigest()[:16]}", "@TOOL_SIZE@": str(len(unpacker))}
    for name, value in given.items():
        text = text.replace(name, value)
    # Numbers of one width, so that they do not move what they count.
    start = len(text.replace("@TOOL@", "0" * 8).replace("@DATA@", "0" * 8).encode()) + 1
    text = text.replace("@TOOL@", f"{start:08}").replace("@DATA@", f"{start + len(unpacker):08}")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(text.encode() + unpacker + data)
    TARGET.chmod(0o755)
    archive.unlink()


def main() -> None:
    """Build the file, and say how large it is."""
    debian = old_debian()
    tree = KEPT / "tree"
    version = tree_of(python_of(debian), tree)
    pack(tree, debian / "bin" / "busybox", version)
    shutil.rmtree(tree)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
