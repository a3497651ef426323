"""Tiny real wheels, environments and plans for tests; nothing here replaces a component of the tool."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import pytest

from provisioner.environment.distributions import Installed
from provisioner.environment.read import read_site
from provisioner.host import Host
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Link, Lock, LockedFile, Proof
from provisioner.model.facts import Cpu, Disk, Driver, Facts, Interpreter, System, Volume, absent, known
from provisioner.model.finding import Check, Verification
from provisioner.model.plan import Choice, Plan
from provisioner.model.request import Request
from provisioner.plan import make as planning
from provisioner.plan.parts import PlanInputs

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    scripts: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    python: str = "",
) -> LockedFile:
    """Write a pure wheel; ``scripts`` are console scripts (name -> ``module:function``), ``requires`` and ``python`` what it needs."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    content = dict(files)
    needs = "".join(f"Requires-Dist: {item}\n" for item in requires) + (f"Requires-Python: {python}\n" if python else "")
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        content[f"{info}/entry_points.txt"] = "[console_scripts]\n" + "".join(f"{key} = {value}\n" for key, value in scripts.items())
    record = ""
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    content[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, text in content.items():
            archive.writestr(zipfile.ZipInfo(inner, (2020, 1, 1, 0, 0, 0)), text)
    return LockedFile(
        name=name,
        version=version,
        filename=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        unpacked=sum(len(text) for text in content.values()),
    )


def only_from(monkeypatch: pytest.MonkeyPatch, wheels: Path, cache: Path) -> None:
    """Let uv know the files of a folder alone, and keep what it makes of them in a cache of the test's own."""
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))


def make_lock(*files: LockedFile) -> Lock:
    """Return a lock of those files."""
    digest = hashlib.sha256("".join(item.sha256 for item in files).encode()).hexdigest()
    return Lock(release=files[0].version, python=PYTHON, platform="linux-x86_64", device="cpu", glibc="2.17", files=files, digest=digest)


def machine() -> Facts:
    """Return facts about a machine without a GPU."""
    nothing = absent("test", "not on this machine")
    return Facts(
        system=System(
            os=known("linux", "test"),
            version=nothing,
            distribution=nothing,
            kernel=known("6.1", "test"),
            wsl=nothing,
            container=nothing,
            libc=nothing,
            architecture=known("x86_64", "test"),
            process_architecture=known("x86_64", "test"),
            translated=known(False, "test"),
        ),
        cpu=Cpu(model=known("A processor", "test"), cores=known(2, "test"), features=known(("avx",), "test"), level=nothing),
        gpus=nothing,
        pci_gpus=nothing,
        driver=Driver(release=nothing, cuda=nothing, kernel_module=nothing, devices=nothing),
        toolkits=nothing,
        libraries=nothing,
        interpreters=nothing,
        conda_tools=nothing,
        disk=Disk(
            environment=known(Volume(path="/", free=1 << 40, free_inodes=-1, writable=True), "test"), cache=nothing, hard_links=nothing
        ),
    )


def make_plan(host: Host, env: Path, lock: Lock, *, links: tuple[Link, ...] = ()) -> Plan:
    """Plan ``lock`` for ``env`` on this interpreter."""
    return planning.make_plan(planning.ApplyInputs(common=inputs_for(host, env, lock), links=links, linked=frozenset()))


def inputs_for(host: Host, env: Path, lock: Lock) -> PlanInputs:
    """Return what a plan of ``lock`` for ``env`` on this interpreter is made from."""
    interpreter = Interpreter(
        path=sys.executable,
        version=".".join(map(str, sys.version_info[:3])),
        bits=64,
        architecture="x86_64",
        implementation="cpython",
        origin="path",
    )
    choice = Choice(
        release=lock.release,
        python=PYTHON,
        interpreter=interpreter,
        device="cpu",
        platform="linux-x86_64",
        reasons=("it was asked for",),
        refusals=(),
        warnings=(),
        gpus=(),
    )
    return PlanInputs(
        tool="test",
        made="2026-01-01T00:00:00+00:00",
        machine="a test machine",
        request=Request(env=str(env)),
        facts=machine(),
        catalogue="test",
        cache="/cache",
        site=read_site(host, str(env)),
        choice=choice,
        lock=lock,
        proof=planning.proof_words(Proof(lock=lock.digest, level="resolved")),
    )


def verification(env: str, *, passed: bool) -> Verification:
    """Return the outcome of a proof."""
    check = Check(name="import", status="passed" if passed else "failed")
    return Verification(env=env, python="", tensorflow="", device="cpu", checks=(check,), libraries=(), findings=())


def prove_by_import(root: str) -> Verification:
    """Import the module ``tensorflow`` with the environment's own Python; passed when that works."""
    python = f"{root}/bin/python"
    done = subprocess.run([python, "-B", "-c", "import tensorflow; assert tensorflow.GOOD"], capture_output=True, check=False)
    return verification(root, passed=done.returncode == 0)


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Return every path below ``root`` with what identifies it: kind, mode, and size, time, inode and content of files."""
    found: dict[str, tuple[object, ...]] = {}
    if not root.exists():
        return found
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", status.st_mode)
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = ("file", status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, digest)
    return found


class Killed(BaseException):
    """Raised in place of an effect: what the process would have done after it was killed."""


@dataclass
class DyingHost(LocalHost):
    """This machine, on which the process dies before its effect number ``dies_at`` and has no effect ever after."""

    dies_at: int
    effects: int = field(default=0)

    def _effect(self, *_what: str) -> None:
        self.effects += 1
        if self.effects >= self.dies_at:
            raise Killed

    def write(self, path, text, **options):
        self._effect("write", path)
        super().write(path, text, **options)

    def make_folder(self, path, **options):
        self._effect("make_folder", path)
        super().make_folder(path, **options)

    def open_up(self, path):
        self._effect("open_up", path)
        super().open_up(path)

    def rename(self, source, target, **options):
        self._effect("rename", source, target)
        super().rename(source, target, **options)

    def copy(self, source, target):
        self._effect("copy", source, target)
        super().copy(source, target)

    def settle(self, path, **options):
        self._effect("settle", path)
        super().settle(path, **options)

    def link(self, path, target):
        self._effect("link", path)
        super().link(path, target)

    def remove(self, path):
        self._effect("remove", path)
        super().remove(path)

    def remove_folder(self, path):
        self._effect("remove_folder", path)
        super().remove_folder(path)

    def remove_tree(self, path):
        self._effect("remove_tree", path)
        super().remove_tree(path)

    def run(self, argv, **options):
        self._effect("run")
        return super().run(argv, **options)

    def ask(self, argv, request, **options):
        self._effect("ask")
        return super().ask(argv, request, **options)


@dataclass
class FailingHost(DyingHost):
    """This machine, on which the effects from number ``dies_at`` on, ``times`` of them, are refused with the error ``number``.

    With ``matching``, only those effects count whose words hold it.
    """

    number: int = 0
    times: int = 1
    matching: str = ""
    failed: list[str] = field(default_factory=list)

    def _effect(self, *what: str) -> None:
        if self.matching not in " ".join(what):
            return
        self.effects += 1
        if self.dies_at <= self.effects < self.dies_at + self.times:
            self.failed.append(" ".join(what))
            raise OSError(self.number, os.strerror(self.number), what[-1])

    def sync(self, path):
        self._effect("sync", path)
        super().sync(path)

    def flush(self, path):
        self._effect("flush", path)
        super().flush(path)


class FixedHost(LocalHost):
    """This machine with chosen environment variables and a chosen time."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)

    @property
    def env(self) -> Mapping[str, str]:
        return self._env

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc)


def distribution(env: Path, name: str, *files: str, record: bool = True) -> Installed:
    """Write a distribution of empty files into an environment; without ``record`` it has no RECORD."""
    folder = env / SITE / f"{name}.dist-info"
    folder.mkdir()
    for file in files:
        path = env / SITE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    if record:
        (folder / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, f"{name}.dist-info/RECORD")))
    stem, version = name.split("-")
    return Installed(name=stem, version=version, metadata=f"{SITE}/{name}.dist-info", recorded=record)
