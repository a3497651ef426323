"""Start-up and planning, and planning from many profiles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benches.measure import RELEASE, ROOT, ROUNDS, TFSETUP, UV, Run, low, measure, row, turns


def bench(env: dict[str, str]) -> None:
    """Start-up, planning, and the same from ten times as many profiles."""
    bench_start(env)
    bench_profiles(env)


def bench_start(env: dict[str, str]) -> None:
    """Start-up and planning."""
    plan = [TFSETUP, "plan", "--tensorflow", RELEASE, "--env", f"{env['BENCH']}/nothing"]
    venv = f"{env['BENCH']}/dry"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, venv], check=True, env=env)
    dry = [UV, "pip", "install", "--dry-run", "--python", f"{venv}/bin/python", f"tensorflow=={RELEASE}"]
    for command in (plan, dry):
        measure(command, env=env)
    runs = turns(
        {
            "bare": lambda: measure([sys.executable, "-c", "pass"], env=env),
            "version": lambda: measure([TFSETUP, "--version"], env=env),
            "plan": lambda: measure(plan, env=env),
            "dry": lambda: measure(dry, env=env),
        },
        ROUNDS,
    )
    row("tfsetup --version : python -c pass (wall)", low(runs["version"], "wall"), low(runs["bare"], "wall"), "at most 2")
    row("tfsetup plan : python -c pass (CPU)", low(runs["plan"], "cpu"), low(runs["bare"], "cpu"), "at most 10")
    row(
        "tfsetup plan : uv pip install --dry-run tensorflow, warm (wall)",
        low(runs["plan"], "wall"),
        low(runs["dry"], "wall"),
        "at most 0.2",
    )


def bench_profiles(env: dict[str, str]) -> None:
    """A plan from ten times as many profiles, against one from those that are shipped; both copies of the code are equal."""
    commands: dict[str, Callable[[], Run]] = {}
    for name, times in (("one", 1), ("ten", 10)):
        folder = Path(env["BENCH"]) / name
        shutil.copytree(ROOT / "provisioner", folder / "provisioner", ignore=shutil.ignore_patterns("__pycache__", "_profiles"))
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        multiply(folder / "profiles", times)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder / "provisioner")], check=True)
        argv = [sys.executable, "-m", "provisioner", "plan", "--tensorflow", RELEASE, "--env", f"{env['BENCH']}/nothing"]
        commands[name] = partial(measure, argv, env={**env, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "cache")})
        commands[name]()
    runs = turns(commands, ROUNDS)
    row("tfsetup plan, ten times as many profiles : as shipped (CPU)", low(runs["ten"], "cpu"), low(runs["one"], "cpu"), "at most 1.2")


def multiply(profiles: Path, times: int) -> None:
    """Add to every release, lock and proof so many others that are older than all."""
    for copy in range(1, times):
        for number, path in enumerate(sorted((profiles / "releases").glob("*.yaml"))):
            shutil.copy(path, path.with_name(f"0.{copy}{number:02}.yaml"))
        for folder in (profiles / "locks").iterdir():
            for number, path in enumerate(sorted(folder.glob("[12]*.lock"))):
                shutil.copy(path, path.with_name(f"0.{copy}{number:03}.0.lock"))
    lines = (profiles / "proofs.json").read_text(encoding="utf-8").splitlines()
    more = [f'  {{"lock": "{number:064x}", "level": "run", "checks": 1}},' for number in range((times - 1) * (len(lines) - 2))]
    (profiles / "proofs.json").write_text("\n".join([lines[0], *more, *lines[1:]]) + "\n", encoding="utf-8")
