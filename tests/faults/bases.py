"""The environments that are broken: locked sets of the catalogue, installed by uv with hard links, so that each costs seconds and little room."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import uv

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.plan.xla_tools import xla_files

ROOT = Path(__file__).resolve().parent.parent.parent
# What a program does first: with this, byte code is written once for each base, and every import in a copy takes half the time.
WARM_UP = "import tensorflow as tf; tf.constant(1.0); import tensorflow.keras.layers; tf.keras.layers"


@dataclass(frozen=True)
class Base:
    """One set of the catalogue, and what a person has installed beside it (``extra``, exact pins without their requirements).

    ``kind``: ``venv`` by uv, or ``conda`` by ``tfsetup apply`` from a channel of the tests' own.
    """

    release: str
    python: str
    device: str = "cpu"
    extra: tuple[str, ...] = ()
    kind: str = "venv"

    @property
    def moves(self) -> bool:
        """True where a copy works in another place. conda writes an environment's place into it."""
        return self.kind == "venv"


BASES = {
    "1.15": Base("1.15.5", "3.7"),
    "2.3": Base("2.3.4", "3.8"),
    "2.4": Base("2.4.4", "3.8"),
    "2.8": Base("2.8.4", "3.10"),
    "2.11": Base("2.11.1", "3.10"),
    "2.15": Base("2.15.1", "3.11"),
    "2.17": Base("2.17.1", "3.12"),
    "2.21": Base("2.21.0", "3.12"),
    "2.11-cuda": Base("2.11.1", "3.10", "cuda"),
    "2.15-cuda": Base("2.15.1", "3.11", "cuda"),
    "2.21-cuda": Base("2.21.0", "3.12", "cuda"),
    "2.4-conda": Base("2.4.4", "3.8", "cuda", kind="conda"),
}


def find_python(version: str) -> str:
    """Return an interpreter of this machine, or "" where there is none: pyenv's, then uv's own or the one on PATH."""
    own = sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")))
    if own:
        return os.path.realpath(own[-1])
    argv = [uv.find_uv_bin(), "python", "find", "--system", "--no-project", "--no-python-downloads", version]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    return done.stdout.strip() if done.returncode == 0 else ""


def uv_run(*argv: str) -> str:
    """Run uv and return what it prints; links, not copies: the cache and the environments share the files."""
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "hardlink"}
    done = subprocess.run([uv.find_uv_bin(), *argv, "--quiet"], capture_output=True, text=True, check=False, env=env, cwd="/")
    if done.returncode:
        raise RuntimeError(f"uv {' '.join(argv)}: {done.stderr}")
    return done.stdout


def lock_of(base: Base) -> Lock:
    """Return the lock of a base."""
    lock = Catalogue.open(LocalHost(), find_profiles()).lock(
        base.release, base.python, "linux-x86_64", "cuda-conda" if base.kind == "conda" else base.device
    )  # type: ignore[arg-type]
    if lock is None:
        raise LookupError(f"the catalogue has no lock for {base}")
    return lock


def fill(python: str, lock: Lock, folder: Path) -> None:
    """Install a lock into the environment of ``python``; ``folder`` takes the file of requirements."""
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{file.name}=={file.version} --hash=sha256:{file.sha256}\n" for file in lock.files))
    argv = ["pip", "install", "--no-deps", "--require-hashes", "--python", python, "-r", str(listed), "--only-binary", ":all:"]
    # The few old releases that never had a wheel are built, as apply does.
    uv_run(*argv, *[word for file in lock.files if file.source for word in ("--no-binary", file.name)])


def link(env: Path, base: Base) -> None:
    """Put the links and small files there that ``apply`` makes for a CUDA set."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    release = catalogue.release(base.release)
    cuda = next(build.cuda for build in release.builds if build.platform == "linux-x86_64") if release else None
    if cuda is None:
        return
    site = next(env.glob("lib/python3*/site-packages"))
    for item in (*cuda.links, *(() if cuda.finds_tools else xla_files())):
        path = site / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if item.text:
            path.write_text(item.text)
        else:
            path.symlink_to(item.target)


def warm_up(env: Path) -> None:
    """Import everything once."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run([str(env / "bin" / "python"), "-c", WARM_UP], check=True, capture_output=True, env=environment, cwd=env)


def place_of(name: str, folder: Path) -> Path:
    """Return the one place in which copies of a base that cannot be moved work."""
    return folder / f"{name}.place"


def channel_of(folder: Path) -> str:
    """Return the address of the channel that conda environments are made from: Python as it is here, CUDA's libraries as empty ones."""
    from tests.channel import build as channels
    from tests.channel import cuda

    if not (folder / "channel" / "linux-64" / "repodata.json").exists():
        versions = sorted({base.python for base in BASES.values() if base.kind == "conda"})
        channels.build(folder / "channel", [*channels.pythons(*versions), *cuda.every()])
    return (folder / "channel").as_uri()


def build_conda(base: Base, env: Path, folder: Path) -> None:
    """Make a conda environment as a person does, with the command itself."""
    argv = [
        "--kind",
        "conda",
        "--channel",
        channel_of(folder),
        "--device",
        base.device,
        "--tensorflow",
        base.release,
        "--python",
        base.python,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RATTLER_CACHE_DIR": str(folder / "rattler"), "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", "apply", *argv, "--env", str(env), "--yes"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd="/",
    )
    if done.returncode:
        raise RuntimeError(f"tfsetup apply --kind conda: {done.stderr[-2000:]}")


def build(name: str, folder: Path, *, warm: bool = True) -> Path:
    """Make the base ``name`` in ``folder`` (once), and return it. It can be copied: nothing in it names its place."""
    base, env = BASES[name], folder / name
    if (folder / f"{name}.done").exists():
        return env
    python = find_python(base.python)
    if not python:
        raise LookupError(f"Python {base.python} is not on this machine")
    lock = lock_of(base)
    folder.mkdir(parents=True, exist_ok=True)
    if base.kind == "conda":
        build_conda(base, place_of(name, folder) / "env", folder)
        if warm:
            warm_up(place_of(name, folder) / "env")
        (place_of(name, folder) / "env").rename(env)
        (folder / f"{name}.done").touch()
        return env
    uv_run("venv", "--no-project", "--relocatable", "--clear", "--python", python, str(env))
    fill(str(env / "bin" / "python"), lock, folder)
    for item in base.extra:
        uv_run("pip", "install", "--no-deps", "--python", str(env / "bin" / "python"), item)
    if base.device == "cuda":
        link(env, base)
    if warm:
        warm_up(env)
    (folder / f"{name}.done").touch()
    return env
