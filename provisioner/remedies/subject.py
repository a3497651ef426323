"""What is known of the case that a remedy is for: the environment and its interpreter as they are typed, the release, the installer, the machine."""

from __future__ import annotations

import re
import shlex
from typing import Literal

from provisioner.model.keeper import Keeper
from provisioner.model.record import record

System = Literal["", "linux", "macos", "windows"]
Installer = Literal["pip", "uv", "poetry", "pipenv", "conda", "reticulate", "notebook", "docker"]
_PLAIN = re.compile(r"[\w@%+=:,./\\-]+")


@record
class Subject:
    """``python`` as ``3.10``, ``tensorflow`` as it was said (``2.15.1``), both "" where unknown; ``wanted``: it is asked for and not installed yet.

    ``interpreter`` is a path or a name (``python3``), not yet quoted; ``env`` the folder of the environment, "" where there is none (the system's
    Python, conda's base, a container). ``platform`` as the catalogue's (``linux-x86_64``), "" where unknown. ``gpu`` is the text about it,
    ``capability`` as ``8.6``; ``gpu_present`` None where nobody said. ``cudas`` are the CUDA releases that are there, ``driver`` the driver's,
    ``glibc`` and ``macos`` the system's. ``seen`` are the lines that speak for the cause, ``text`` the whole log. ``distribution`` is ID of
    os-release. ``ending`` is the kind of the run's end (``provisioner.explain.ending``). ``owner`` is the distribution
    that TensorFlow is installed as, "" where nobody looked. ``wants`` are requirements (PEP 508, a name
    alone where the versions are not known) that are met where the cause is mended. ``pipless``: the environment has no pip, as uv makes them.
    ``kept``: no command of ours changes that environment (the one that tfsetup runs in, conda's own).
    ``keeper``: the tool of a project that keeps the environment by its lock.
    ``managed``: others manage this Python (the operating system, uv), and pip refuses to install into it (PEP 668).
    """

    system: System = ""
    platform: str = ""
    python: str = ""
    tensorflow: str = ""
    wanted: bool = False
    interpreter: str = ""
    env: str = ""
    installer: Installer = "pip"
    wsl: bool = False
    container: bool = False
    notebook: bool = False
    musl: bool = False
    gpu: str = ""
    amd: bool = False
    gpu_present: bool | None = None
    capability: str = ""
    cudas: tuple[str, ...] = ()
    driver: str = ""
    glibc: str = ""
    macos: str = ""
    distribution: str = ""
    seen: str = ""
    text: str = ""
    told: str = ""
    ending: str = ""
    owner: str = ""
    wants: tuple[str, ...] = ()
    pipless: bool = False
    managed: bool = False
    kept: bool = False
    keeper: Keeper | None = None

    @property
    def windows(self) -> bool:
        """Windows itself, not WSL."""
        return self.system == "windows" and not self.wsl

    @property
    def shell_python(self) -> str:
        """The interpreter as it is typed; where nothing is known of it, the name that most systems have."""
        name = self.interpreter or ("python" if self.windows else "python3")
        return name if name.startswith("py -") else quoted(name, windows=self.windows)

    def pip(self, command: str, *words: str) -> str:
        """One of pip's commands for these packages, as it is typed; uv's, where they have no pip of their own."""
        program = f"uv pip {command} --python {self.shell_python}" if self.pipless else f"{self.shell_python} -m pip {command}"
        if self.managed and command in {"install", "uninstall"}:
            program += " --break-system-packages"
        return " ".join((program, *words))

    @property
    def minor(self) -> str:
        """The release as ``2.15``, "" where it is not known."""
        found = re.match(r"\d+\.\d+", self.tensorflow)
        return found[0] if found else ""


def quoted(path: str, *, windows: bool = False) -> str:
    """Return a path as a shell takes it: cmd and PowerShell know double quotes only, and a shell opens ``~`` where it stands outside of them."""
    if windows or re.match(r"[A-Za-z]:[\\/]", path):
        return path if _PLAIN.fullmatch(path) else f'"{path}"'
    if path.startswith("~/"):
        return "~/" + shlex.quote(path[2:])
    return shlex.quote(path)


def requirement(text: str) -> str:
    """A requirement as both kinds of shell take it: in double quotes where it holds more than letters and ``==``."""
    return text if re.fullmatch(r"[\w.-]+(==[\w.]+)?", text) else f'"{text}"'
