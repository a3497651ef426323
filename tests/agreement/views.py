"""What each command says of an environment, as one word: whole or not; by the command itself, or by its stages where nothing must be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from provisioner.base.progress import SILENT
from provisioner.commands.doctor import doctor
from provisioner.commands.plan import plan
from provisioner.diagnose.gather import Options
from provisioner.errors import TfsetupError
from provisioner.host.local import LocalHost
from provisioner.model.facts import Facts
from provisioner.model.request import Request
from provisioner.session import Session
from tests.agreement import independent

ROOT = Path(__file__).resolve().parent.parent.parent
# What the caller's shell must not add.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_", "VIRTUAL_ENV", "CONDA"))}
SECONDS = 900


@dataclass(frozen=True)
class Subject:
    """An environment and the request that it was made by; ``expected`` are the names that its receipt promises."""

    env: Path
    python: str
    release: str
    device: str = "cpu"
    expected: tuple[str, ...] = ()


def run(*argv: str) -> tuple[int, str]:
    """Run the command, and return how it ended and what it said.

    Files are copied out of uv's cache: of one that is linked, every other install of the same wheel changes the time of change, and all would be
    read again.
    """
    argv = (sys.executable, "-m", "provisioner", *argv)
    env = {**CLEAN, "PYTHONPATH": str(ROOT), "UV_LINK_MODE": "copy"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd="/", timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


class Asked(Session):
    """A session that asks the machine once for what it is: no mutation of an environment changes that."""

    facts: ClassVar[dict[bool, Facts]] = {}

    def detect(self, *, env: str, full: bool = True, python: str = "", aloof_of: str = "") -> Facts:
        if full not in self.facts:
            self.facts[full] = super().detect(env=env, full=full, python=python, aloof_of=aloof_of)
        return self.facts[full]


class Views:
    """The verdicts on one environment; each is True where it is said to be whole."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.said: dict[str, str] = {}

    def independent(self) -> bool:
        """By every hash and requirement."""
        session = Session(LocalHost())
        found = independent.check(
            self.subject.env, self.subject.python, expected=self.subject.expected, published=session.catalogue.published()
        )
        self.said["independent"] = "; ".join(found[:3])
        return not found

    def doctor(self) -> bool:
        """By doctor, without an import."""
        options = Options(cwd=str(self.subject.env), importing=False)
        found = doctor(Asked(LocalHost()), env=str(self.subject.env), options=options, progress=SILENT).examination
        bad = [item for item in found.findings if item.severity != "info"]
        self.said["doctor"] = "; ".join(f"{item.cause}: {item.evidence[0].seen}" for item in bad[:3])
        return found.healthy

    def plan(self) -> bool:
        """By the emptiness of a plan for the environment's own request."""
        request = Request(env=str(self.subject.env), tensorflow=f"=={self.subject.release}", device=self.subject.device)
        try:
            planned = plan(Asked(LocalHost()), request)
        except TfsetupError as error:
            self.said["plan"] = str(error)
            return False
        words = [
            *(f"out: {item.name} ({item.reason})" for item in planned.plan.removals),
            *(f"in: {item.name}" for item in planned.plan.packages),
        ]
        self.said["plan"] = "; ".join([*words, *(mark.words for mark in planned.plan.unmended)][:4])
        return not planned.pending

    def commands(self) -> dict[str, bool]:
        """By the commands themselves, with an import of TensorFlow."""
        env = str(self.subject.env)
        asked = {
            "verify": ("verify", "--env", env),
            "doctor, importing": ("doctor", "--env", env, "--cwd", env),
            "plan --exit-code": (
                "plan", "--env", env, "--tensorflow", f"=={self.subject.release}", "--device", self.subject.device, "--exit-code",
            ),
        }  # fmt: skip
        verdicts = {}
        for name, argv in asked.items():
            code, said = run(*argv)
            self.said[name] = f"exit {code}: {said[-600:]}" if code else ""
            verdicts[name] = code == 0
        return verdicts

    def all(self, *, importing: bool) -> dict[str, bool]:
        """Every verdict."""
        fast = {"independent": self.independent(), "doctor": self.doctor(), "plan": self.plan()}
        return {**fast, **(self.commands() if importing else {})}
