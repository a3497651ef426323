"""The small world of the torture: wheels, a catalogue of two releases whose TensorFlow computes with NumPy, caches, and the preload library."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from provisioner.catalogue import find_profiles
from provisioner.model.catalogue import LockedFile
from tests.cli.support import LOCK, RELEASE, TABLES
from tests.support import PYTHON, make_wheel

HERE = Path(__file__).parent
NUMPY = "numpy==2.2.6"
# The oldest computes wrongly, so that its proof fails and it is taken back.
OLD, NEW, WRONG = "2.20.0", "2.21.0", "2.18.0"
# What an import and a few sums need of NumPy is a tenth of its files.
NOT_NEEDED = ("/tests/", "/f2py/", "/include/", "/doc/", "/typing/", "/distutils/", "/_examples/")
UV = (sys.executable, "-m", "uv")
LINUX, WINDOWS = "linux-x86_64", "windows-x86_64"
# What pip is told to fetch NumPy for another system.
FOR = {LINUX: (), WINDOWS: ("--platform", "win_amd64", "--python-version", PYTHON, "--only-binary", ":all:")}


@dataclass(frozen=True)
class World:
    """``root`` holds everything; a run's own place is ``root/place``, always the same, for environments name their own path.

    ``platform`` is what the sets of its catalogue are for.
    """

    root: Path
    platform: str = LINUX

    @property
    def wheels(self) -> Path:
        return self.root / "wheels"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    @property
    def preload(self) -> Path:
        return self.root / "preload.so"

    @property
    def uv_cache(self) -> Path:
        return self.root / "uv"

    @property
    def tool_cache(self) -> Path:
        """The tool's cache, warm; each run has a copy."""
        return self.root / "tool-cache"

    def variables(self, place: Path) -> dict[str, str]:
        """The variables of a plain login at ``place``, with the small catalogue and its wheels."""
        return {
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "tmp"),
            "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TFSETUP_CACHE_DIR": str(place / "cache"),
            "UV_CACHE_DIR": str(self.uv_cache),
            "TFSETUP_PROFILES": str(self.profiles),
            "UV_FIND_LINKS": str(self.wheels),
            "UV_OFFLINE": "1",
        }


def build(root: Path, platform: str = LINUX) -> World:
    """Make the world at ``root``, or take the one that is there."""
    world = World(root, platform)
    root.mkdir(parents=True, exist_ok=True)
    source = HERE / "preload.c"
    if platform == LINUX and (not world.preload.exists() or world.preload.stat().st_mtime < source.stat().st_mtime):
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", world.preload, source, "-ldl"], check=True)
    if world.profiles.exists():
        return world
    shutil.rmtree(world.wheels, ignore_errors=True)
    (root / "fetched").mkdir(exist_ok=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "download",
        "--no-deps",
        "--dest",
        root / "fetched",
        *FOR[platform],
        NUMPY,
    ]
    subprocess.run(pip, check=True)
    numpy = _trimmed(next((root / "fetched").glob("numpy-*.whl")), world.wheels)
    _catalogue(world, numpy)
    _others(world.wheels)
    return world


def _tensorflow(version: str) -> dict[str, str]:
    text = (HERE / "tensorflow_stand_in.py.txt").read_text()
    lines = {f"tensorflow/core/of_{version.replace('.', '_')}.py": "", "tensorflow/core/__init__.py": ""}
    if version == WRONG:
        text += "\n\ndef matmul(left, right):\n    return _tensor(_np.matmul(left, right) + 1)\n"
    return {"tensorflow/__init__.py": f"{text}\n__version__ = '{version}'\n", **lines}


def _catalogue(world: World, numpy: LockedFile) -> None:
    wheels = world.wheels
    made = world.root / "profiles.new"
    shutil.rmtree(made, ignore_errors=True)
    (made / "releases").mkdir(parents=True)
    (made / "locks" / world.platform).mkdir(parents=True)
    for name in TABLES:
        shutil.copy(Path(find_profiles()) / name, made / name)
    for version, number in ((OLD, 2), (NEW, 3), (WRONG, 4)):
        files = (
            numpy,
            make_wheel(wheels, "six", f"{number}.0", {"six.py": f"VERSION = {number}\n"}, scripts={"six": "six:main"}),
            make_wheel(wheels, "protobuf", f"{number}.0", {"google/protobuf/__init__.py": "", f"google/protobuf/v{number}.py": ""}),
            make_wheel(wheels, "tensorflow-cpu", version, _tensorflow(version), requires=("numpy", "six", "protobuf")),
        )
        release, lock = (text.replace(LINUX, world.platform) for text in (RELEASE, LOCK))
        if world.platform != LINUX:
            release = release.replace('      glibc: "2.17"\n', "")
        (made / "releases" / f"{version[:4]}.yaml").write_text(release.format(python=PYTHON, version=version))
        lines = "".join(
            f"{file.filename} {file.size} {file.unpacked} {file.sha256} *\n" for file in sorted(files, key=lambda file: file.filename)
        )
        (made / "locks" / world.platform / f"{version}.lock").write_text(lock.format(python=PYTHON, version=version) + lines)
    made.rename(world.profiles)


def _others(wheels: Path) -> None:
    """What environments hold besides, and what is installed later: rivals, namespace folders, newer and older versions."""
    make_wheel(wheels, "tensorflow", "2.19.0", {**_tensorflow("2.19.0"), "tensorflow/only_2_19.py": ""}, requires=("six",))
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n", "six_only_1.py": ""}, scripts={"six": "six:main"})
    make_wheel(wheels, "six", "9.0", {"six.py": "VERSION = 9\n", "six_only_9.py": ""}, scripts={"six": "six:main"})
    make_wheel(wheels, "protobuf", "1.0", {"google/protobuf/__init__.py": "", "google/protobuf/v1.py": ""})
    make_wheel(wheels, "google-auth", "1.0", {"google/auth/__init__.py": "V = 1\n"})
    make_wheel(wheels, "google-rpc", "1.0", {"google/rpc/__init__.py": "V = 1\n"})
    make_wheel(wheels, "mine", "1.0", {"mine/__init__.py": "V = 1\n", "mine/data.txt": "1"}, scripts={"mine": "mine:main"})
    make_wheel(wheels, "later", "1.0", {"later/__init__.py": "V = 1\n"}, scripts={"later": "later:main"})


def _trimmed(wheel: Path, folder: Path) -> LockedFile:
    """Write a wheel anew with what an import needs of it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / wheel.name
    record = ""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        total = 0
        names = [name for name in old.namelist() if not any(part in name for part in NOT_NEEDED) and not name.endswith((".pyi", "/RECORD"))]
        for name in names:
            data = old.read(name)
            total += len(data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(data)}\n"
            new.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        path = next(name for name in old.namelist() if name.endswith(".dist-info/RECORD"))
        new.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), record + f"{path},,\n")
    name, version = wheel.name.split("-")[:2]
    return LockedFile(
        name=name, version=version, filename=target.name, sha256=hashlib.sha256(target.read_bytes()).hexdigest(), size=target.stat().st_size,
        unpacked=total,
    )  # fmt: skip
