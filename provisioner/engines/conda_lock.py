"""conda-lock: solves conda packages with the conda, mamba or micromamba of this machine; the second engine of a lock's conda half."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from provisioner.errors import OperationError, UsageError
from provisioner.host import PRIVATE, Host
from provisioner.model.facts import Tool
from provisioner.model.record import record

TIMEOUT_SECONDS = 1800.0
# The fastest first. pixi is none of them: it has no `create --dry-run`.
EXECUTABLES = ("mamba", "conda", "micromamba")


@record
class TargetQuestion:
    """One target's question: match specs, virtual packages (``__cuda=12.4=0``) and channels, which may name variables.

    ``folder`` is one of the tool's own, for this question alone.
    """

    name: str
    subdir: str
    specs: tuple[str, ...]
    virtual: tuple[str, ...]
    channels: tuple[str, ...]
    folder: str
    offline: bool = False


def executable(tools: Sequence[Tool]) -> str:
    """Return the program that conda-lock is to solve with; raises ``UsageError`` where there is none, or no conda-lock."""
    place = "--engine conda-lock"
    if find_spec("conda_lock") is None:
        raise UsageError("conda-lock is not installed", place=place, hint="install tfsetup again: conda-lock comes with it")
    paths = {tool.name: tool.path for tool in tools}
    found = next((paths[name] for name in EXECUTABLES if name in paths), "")
    if not found:
        hint = "leave the engine out (rattler needs no conda), or install one of them"
        raise UsageError(f"conda-lock solves with {', '.join(EXECUTABLES)}, and none of them is on this machine", place=place, hint=hint)
    return found


def environment(asked: TargetQuestion) -> str:
    """Return the ``environment.yml`` of a question; JSON is YAML, too."""
    data = {"channels": list(asked.channels), "dependencies": list(asked.specs), "platforms": [asked.subdir]}
    return json.dumps(data, indent=1)


def virtual_packages(asked: TargetQuestion) -> str:
    """Return the file for ``--virtual-package-spec``; what it does not name is not there, so that no default of conda-lock's comes in."""
    parts = [text.split("=") for text in asked.virtual]
    packages = {name: version if build == "0" else f"{version} {build}" for name, version, build in parts}
    return json.dumps({"subdirs": {asked.subdir: {"packages": packages}}}, indent=1)


def lock(host: Host, conda: str, asked: TargetQuestion, *, watch: Callable[[int], None] | None = None) -> str:
    """Run conda-lock with the program ``conda``, and return the ``conda-lock.yml`` that it wrote.

    Raises ``OperationError`` with what it says where it fails.
    """
    paths = {name: posixpath.join(asked.folder, name) for name in ("environment.yml", "virtual-packages.yml", "conda-lock.yml")}
    host.write(paths["environment.yml"], environment(asked), mode=PRIVATE)
    host.write(paths["virtual-packages.yml"], virtual_packages(asked))
    argv = [host.python, "-W", "ignore", "-m", "conda_lock", "lock", "--conda", conda, "--platform", asked.subdir]
    argv += ["-f", paths["environment.yml"], "--virtual-package-spec", paths["virtual-packages.yml"], "--lockfile", paths["conda-lock.yml"]]
    env = {**host.env, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    env |= {"CONDA_OFFLINE": "true"} if asked.offline else {}
    done = host.run(argv, env=env, cwd=asked.folder, timeout=TIMEOUT_SECONDS, watch=watch)
    if not done.ok or not host.exists(paths["conda-lock.yml"]):
        said = " ".join((done.err or done.out).split())[-1500:]
        hint = "lock without `--engine conda-lock` to have rattler's explanation"
        raise OperationError(f"conda-lock found no set of conda packages (it says: {said})", place=asked.name, hint=hint)
    return host.read_text(paths["conda-lock.yml"], 1 << 26)
