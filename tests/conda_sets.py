"""A small channel and a small catalogue for conda environments: a real Python, stand-ins for CUDA's libraries, tiny wheels for TensorFlow."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from provisioner.base.progress import Silent
from provisioner.change.execute import Executed, Prove, execute
from provisioner.commands import plan as flow
from provisioner.commands.undo import take_back, undoable
from provisioner.host import Host
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import LockedFile
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.session import Session
from tests.channel import build, cuda, python
from tests.channel.metadata import openmp
from tests.channel.packages import File, Package, Written, write
from tests.channel.using import install, solve
from tests.cli.support import make_profiles
from tests.support import PYTHON, make_wheel, prove_by_import

RELEASES = ("2.20.0", "2.19.0")
OLDER = f"{PYTHON}.0"
HERE = python.is_here(PYTHON)
# A build of TensorFlow that takes CUDA's libraries from conda; what it opens is in the tests' channel.
BUILD = """\
schema: tfsetup/releases/1
sources: [a test]
common:
  builds:
    linux-x86_64:
      pythons: ["{python}"]
      glibc: "2.17"
      cpu_features: []
      packages: {{cpu: tensorflow-cpu, cuda: tensorflow}}
      cuda:
        version: "11.0"
        cudnn: "8.0"
        capabilities: [sm_60, compute_80]
        driver: "450.51.05"
        driver_wsl: "451.48"
        driver_ptx: "450.51.05"
        must_open: [libcudart.so.11.0, libcublas.so.11, libcublasLt.so.11, libcufft.so.10, libcurand.so.10, libcusolver.so.10,
                    libcusparse.so.11, libcudnn.so.8]
        may_open: [libcupti.so.11.0]
        conda: [cudatoolkit 11.0.*, cudnn 8.0.*]
releases:
  {release}: {{released: "2025-08-13", cutoff: "2025-09-15"}}
"""
LOCK = """\
tfsetup-lock 1
release {release}
platform linux-x86_64
cutoff 2025-09-15
resolver uv 0.9.0
sets {python}/cpu {python}/cuda-conda

"""
# Imported where nothing else does: it says whether it stands beside the right Python, and finds a library as TensorFlow does.
TENSORFLOW = """\
import ctypes, os, sys
__version__ = {release!r}
LIBRARY = os.path.join(os.path.dirname(__file__), "libcudart.so.11.0")
GOOD = sys.prefix in __file__ and (not os.path.lexists(LIBRARY) or ctypes.CDLL(LIBRARY).cudaRuntimeGetVersion(ctypes.byref(ctypes.c_int())) == 0)
"""


def tiny_wheels(folder: Path, release: str) -> dict[str, LockedFile]:
    """Write the wheels of one release."""
    module = {"tensorflow/__init__.py": TENSORFLOW.format(release=release)}
    return {
        "cpu": make_wheel(folder, "tensorflow-cpu", release, module),
        "cuda": make_wheel(folder, "tensorflow", release, module),
        "six": make_wheel(folder, "six", "2.0" if release == RELEASES[0] else "1.9", {"six.py": ""}, scripts={"six": "six:main"}),
    }


def make_catalogue(root: Path, wheels: Path) -> Path:
    """Write a catalogue of two releases, each for the processor and for CUDA from conda."""
    every = {release: tiny_wheels(wheels, release) for release in RELEASES}
    make_profiles(root, (every[RELEASES[0]]["cpu"],))
    for release, files in every.items():
        (root / "releases" / f"{release.rpartition('.')[0]}.yaml").write_text(BUILD.format(python=PYTHON, release=release))
        lines = [line_of(files["six"], "*"), line_of(files["cuda"], f"{PYTHON}/cuda-conda"), line_of(files["cpu"], f"{PYTHON}/cpu")]
        (root / "locks" / "linux-x86_64" / f"{release}.lock").write_text(
            LOCK.format(release=release, python=PYTHON) + "".join(sorted(lines))
        )
    return root


def line_of(file: LockedFile, sets: str) -> str:
    return f"{file.filename} {file.size} {file.unpacked} {file.sha256} {sets}\n"


def older_python() -> Written:
    """Return this Python as if it were an earlier patch release, with a file that differs and one that only it has; packed once."""
    prefix = python.find(PYTHON)

    def make(folder: Path) -> None:
        packed = python.pack(prefix)
        files = {**packed.files, f"lib/python{PYTHON}/older.py": "", f"lib/python{PYTHON}/this.py": "print('an older one')\n"}
        written = write(replace(packed, version=OLDER, files=files), folder)
        written.path.with_name("record.json").write_text(json.dumps(written.record))

    folder = build.kept(f"older-python-{PYTHON}", str(prefix), make)
    return Written(next(folder.glob("*.conda")), json.loads((folder / "record.json").read_text()))


def small_packages() -> list[Package]:
    """Return what people have beside: a library, a program, and Python packages, one of them a TensorFlow of conda's."""
    need = (f"python >={PYTHON},<3.{int(PYTHON.partition('.')[2]) + 1}.0a0",)
    return [
        Package(name="tool", version="1.0", files={"bin/tool": File(b"#!/bin/sh\necho 1.0\n", 0o755), "share/tool/notes": "one\n"}),
        Package(name="tool", version="2.0", files={"bin/tool": File(b"#!/bin/sh\necho 2.0\n", 0o755), "share/tool/notes": "two\n"}),
        extension("six", "1.0", need),
        extension("needs-six", "1.0", (*need, "six")),
        extension("tensorflow", "2.10.0", (*need, "six")),
        extension("own", "1.0", need),
    ]


def extension(name: str, version: str, depends: Iterable[str]) -> Package:
    """Return a conda package that holds the Python distribution of the same name."""
    folder, module = f"lib/python{PYTHON}/site-packages", name.replace("-", "_")
    files = {
        f"{folder}/{module}.py": f"FROM = 'conda {version}'\n",
        f"{folder}/{module}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{folder}/{module}-{version}.dist-info/RECORD": "",
    }
    return Package(name=name, version=version, depends=tuple(depends), files=files)


@functools.cache
def libraries() -> tuple[Package, ...]:
    """Return the CUDA libraries of the catalogue's build; they do not go with the older Python, so that it must make room."""
    cudnn = replace(cuda.cudnn("8.0.5.39", "11.0"), constrains=(f"python !={OLDER}",))
    return (cuda.cudatoolkit("11.0.3"), cudnn, *openmp("linux-64"))


def make_channels(root: Path) -> None:
    """Build the channel, and one as it was before: with the older Python, and the older of the small things."""
    now, before, small = build.pythons(PYTHON), older_python(), small_packages()
    build.build(root / "channel", [*now, before, *libraries(), *small])
    others = [item for item in now if item.record["name"] != "python"]
    build.build(root / "earlier", [before, *others, *(item for item in small if item.version != "2.0")])


@dataclass(frozen=True)
class Conda:
    """What a test works with; the variables are set by the fixture."""

    shared: Path

    @property
    def channel(self) -> Path:
        return self.shared / "channel"

    @property
    def earlier(self) -> Path:
        return self.shared / "earlier"

    def request(self, env: Path | str, **changes: object) -> Request:
        return Request(**{"env": str(env), "kind": "conda", "channels": (str(self.channel),), **changes})

    def plan(self, env: Path | str, **changes: object) -> Plan:
        return flow.plan(Session(LocalHost()), self.request(env, **changes)).plan

    def apply(self, env: Path | str, **changes: object) -> Executed:
        return self.execute(self.plan(env, **changes))

    def execute(self, plan: Plan, host: Host | None = None, prove: Prove = prove_by_import) -> Executed:
        return execute(plan, host or LocalHost(), prove=prove, progress=Silent(), wait=0)

    def undo(self, env: Path | str) -> None:
        host = LocalHost()
        take_back(host, undoable(host, str(env)), wait=0, progress=Silent())

    def foreign(self, env: Path, *specs: str, channel: Path | None = None) -> Path:
        """Make an environment as another tool does."""
        cache = self.shared / "foreign"
        return install(solve((channel or self.channel).as_uri(), *specs, cache=cache), env, cache=cache)


def variables(shared: Path) -> dict[str, str]:
    """Return the variables that make the tool choose from the small catalogue and keep its caches in the tests' own folders."""
    return {
        "TFSETUP_PROFILES": str(shared / "profiles"),
        "TFSETUP_CACHE_DIR": str(shared / "cache"),
        "UV_FIND_LINKS": str(shared / "wheels"),
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(shared / "uv"),
        "RATTLER_CACHE_DIR": str(shared / "rattler"),
    }


def make_shared(root: Path) -> Path:
    """Write catalogue and channels, and make room for the caches."""
    make_catalogue(root / "profiles", root / "wheels")
    make_channels(root)
    (root / "cache").mkdir()
    return root
