"""Small real environments: virtual ones, packages with RECORD, and a TensorFlow whose import does what a test needs."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import provisioner
from provisioner.causes import Messages, open_messages
from provisioner.causes.findings import Wording
from provisioner.host.local import LocalHost
from provisioner.model.finding import Verification
from provisioner.remedies import Subject
from provisioner.verify import Expected, verify
from tests.choose.values import shipped_catalogue

PROFILES = Path(provisioner.__file__).parent.parent / "profiles"
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


@functools.lru_cache(maxsize=1)
def known_messages() -> Messages:
    """The messages that are shipped."""
    return open_messages(LocalHost(), str(PROFILES))


def wording(env: str = "/env", python: str = "/env/bin/python") -> Wording:
    """How causes are spoken of for an environment of which no more is known."""
    return Wording(messages=known_messages(), view=shipped_catalogue(), subject=Subject(env=env, interpreter=python))


def make_env(folder: Path) -> Path:
    """An empty virtual environment; a symbolic link to the interpreter and a ``pyvenv.cfg`` are all it needs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder)], check=True)
    return folder


def install(env: Path, name: str, version: str, files: Mapping[str, str], *, requires: tuple[str, ...] = (), python: str = "") -> Path:
    """Put a distribution there with METADATA and RECORD; returns its metadata folder."""
    site = env / SITE
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Python: {python}\n" if python else ""
    metadata += "".join(f"Requires-Dist: {item}\n" for item in requires) + "\nRequires-Dist: not-a-header\n"
    rows = []
    for path, text in {**files, f"{info.name}/METADATA": metadata}.items():
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    (info / "RECORD").write_text("".join(rows) + f"{info.name}/RECORD,,\n")
    return info


def fake_tensorflow(env: Path, body: str, *, cuda: bool = False, version: str = "2.99.0") -> None:
    """A package called tensorflow whose import does ``body``: for what a real one does only on another machine (die, hang, not load)."""
    build = f"build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('is_cuda_build', {cuda})])\n"
    files = {"tensorflow/__init__.py": textwrap.dedent(body), "tensorflow/python/platform/build_info.py": "import collections\n" + build}
    install(env, "tensorflow", version, files)


def run_verify(
    env: Path, *, expected: Expected | None = None, require_gpu: bool = False, timeout: float = 60.0, said: list[str] | None = None
) -> Verification:
    """Verify a real environment with the real host."""
    return verify(
        LocalHost(),
        env=str(env),
        python=str(env / "bin" / "python"),
        expected=expected or Expected(),
        require_gpu=require_gpu,
        timeout=timeout,
        wording=wording(str(env), str(env / "bin" / "python")),
        progress=[].append if said is None else said.append,
    )


def causes(verification: Verification, *severities: str) -> list[str]:
    """The codes of the findings of those severities (errors and warnings unless named), in their order."""
    return [item.cause for item in verification.findings if item.severity in (severities or ("error", "warning"))]


def check(verification: Verification, name: str, device: str = "") -> tuple[str, str]:
    """Status and detail of one check."""
    return next((item.status, item.detail) for item in verification.checks if (item.name, item.device) == (name, device))


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with size and time, to see that nothing was written."""
    found = {}
    for root, _, files in os.walk(folder):
        for name in files:
            status = os.lstat(os.path.join(root, name))
            found[os.path.relpath(os.path.join(root, name), folder)] = (status.st_size, status.st_mtime_ns)
    return found
