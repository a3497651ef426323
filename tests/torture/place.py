"""The place of one run: an environment, a home, a folder for what is passing, a working folder, the tool's cache; and commands run in it."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.fingerprint import Print, fingerprint
from tests.torture.world import UV, World

FOLDERS = ("home", "tmp", "work", "cache")
# sizeof(struct state) of ``preload.c``: two longs, two ints, 256 process ids.
STATE = struct.Struct("qqii256i")
SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``struck`` is what the preload library wrote down of its strikes, ``count`` the calls that it counted."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    struck: tuple[str, ...] = ()
    count: int = 0

    @property
    def said(self) -> str:
        """All that was said."""
        return f"{self.out}\n{self.err}"


@dataclass
class Place:
    """``root`` is the same for every run: environments name their own path."""

    world: World
    root: Path
    env_name: str = "env"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> Path:
        return self.root / self.env_name

    def fresh(self, base: Path | None) -> None:
        """Make it what ``base`` is, or empty."""
        # By the system's own programs: they are the fastest.
        subprocess.run(["rm", "-rf", self.root], check=True)
        if base is not None:
            subprocess.run(["cp", "-al", base, self.root], check=True)
            return
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True)

    def keep(self, base: Path) -> None:
        """Keep what is there as a base."""
        subprocess.run(["rm", "-rf", base], check=True)
        base.parent.mkdir(parents=True, exist_ok=True)
        self.root.rename(base)

    def print(self) -> Print:
        """What is there, but for the tool's cache."""
        return fingerprint(self.root, without=("cache",))

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
        return {**self.world.variables(self.root), "PYTHONPATH": str(Path(__file__).parents[2]), **kept, **self.extra}

    def tool(self, *argv: str, strike: dict[str, str] | None = None, prefix: tuple[str, ...] = ()) -> Ended:
        """Run ``tfsetup`` to its end, with a strike of the preload library where one is given."""
        process, state, log = self.start(*argv, strike=strike, prefix=prefix)
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            err += "\nTORTURE: it hung\n"
        count = STATE.unpack(state.read_bytes())[0] if strike is not None else 0
        struck = tuple(log.read_text(errors="replace").splitlines()) if log.exists() else ()
        return Ended(argv, process.returncode, out, err, struck, count)

    def start(
        self, *argv: str, strike: dict[str, str] | None = None, prefix: tuple[str, ...] = ()
    ) -> tuple[subprocess.Popen[str], Path, Path]:
        """Start ``tfsetup``; return the process, the state of the preload library, and its log."""
        state, log = self.world.root / "strike", self.world.root / "struck"
        variables = self.variables
        if strike is not None:
            state.unlink(missing_ok=True)
            state.write_bytes(bytes(STATE.size))
            log.unlink(missing_ok=True)
            variables |= {
                "LD_PRELOAD": str(self.world.preload), "TORTURE_STATE": str(state), "TORTURE_LOG": str(log),
                "TORTURE_UNDER": str(self.root), **strike,
            }  # fmt: skip
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "provisioner", *argv], env=variables, cwd=self.root / "work", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="backslashreplace", start_new_session=True,
        )  # fmt: skip
        return process, state, log

    # What people do besides

    def uv(self, *argv: str) -> None:
        """Run uv."""
        subprocess.run([*UV, "-q", *argv], env=self.variables, check=True, cwd="/", capture_output=True)

    def install(self, *requirements: str) -> None:
        """Install by uv, exactly these."""
        self.uv("pip", "install", "--no-deps", "--python", str(self.env / "bin" / "python"), *requirements)

    def pip(self, *argv: str) -> None:
        """Run the real pip on the environment, with the wheels of the world."""
        command = [
            sys.executable, "-m", "pip", "--python", str(self.env / "bin" / "python"), "-q", "--disable-pip-version-check", *argv
        ]  # fmt: skip
        found = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.world.wheels), "PIP_CACHE_DIR": str(self.world.root / "pip")}
        subprocess.run(command, env={**self.variables, **found}, check=True, cwd="/", capture_output=True)

    @property
    def site(self) -> Path:
        return next(self.env.glob("lib/python3*/site-packages"))

    def write(self, path: Path, text: str) -> None:
        """Write a file that is a new one, for the old one is a base's too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
