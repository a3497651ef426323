"""A team's lock of four targets."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benches.measure import HEAVY_ROUNDS, TFSETUP, UV, Run, low, measure, row, turns

CUTOFF = "2026-06-01T00:00:00Z"
PYTHON = "3.11"
TARGETS = {
    "linux-gpu": ("linux-x86_64", "cuda", "x86_64-manylinux_2_28"),
    "linux-ci": ("linux-x86_64", "cpu", "x86_64-manylinux_2_28"),
    "mac": ("macos-aarch64", "cpu", "aarch64-apple-darwin"),
    "windows": ("windows-x86_64", "cpu", "x86_64-pc-windows-msvc"),
}
PACKAGES = ("pandas", "scikit-learn", "matplotlib", "fastapi[standard]")


def _team(project: Path) -> None:
    """Write the declaration of a team with four targets."""
    targets = "".join(
        f"  - {{name: {name}, platform: {platform}, device: {device}{', floor: 2.28' if 'linux' in platform else ''}}}\n"
        for name, (platform, device, _) in TARGETS.items()
    )
    packages = "".join(f"  - {package}\n" for package in PACKAGES)
    text = f"tensorflow: 2.20.0\npythons: [{PYTHON}]\ntargets:\n{targets}requirements:\n{packages}"
    (project / "tfsetup.yaml").write_text(text, encoding="utf-8")


def bench(env: dict[str, str]) -> None:
    """Locking four targets, against the same runs of `uv pip compile`: same set, same packages, same date; one after another, and at once."""
    project = Path(env["BENCH"]) / "team"
    project.mkdir()
    _team(project)
    lock = [TFSETUP, "lock", "--project", str(project), "--cutoff", CUTOFF]

    def ours() -> Run:
        for path in project.iterdir():
            if path.name != "tfsetup.yaml":
                path.unlink()
        return measure(lock, env=env)

    ours()
    compiles = []
    for name, (_, _, platform) in TARGETS.items():
        pins = [line.split(" ")[0] for line in (project / f"requirements.{name}.txt").read_text().splitlines() if "==" in line]
        own = [pin for pin in pins if pin.partition("==")[0] in {"tensorflow", "tensorflow-cpu"}]
        profile = {file["name"] for file in _files_of(project, name) if file["profile"]}
        (project.parent / f"{name}.in").write_text("\n".join([*own, *PACKAGES]) + "\n")
        (project.parent / f"{name}.limits").write_text("".join(f"{pin}\n" for pin in pins if pin.partition("==")[0] in profile))
        argv = [
            UV,
            "pip",
            "compile",
            f"{name}.in",
            "--constraints",
            f"{name}.limits",
            "--generate-hashes",
            "--only-binary",
            ":all:",
            "--quiet",
        ]
        argv += ["--python-version", PYTHON, "--python-platform", platform, "--exclude-newer", CUTOFF, "-o", f"{name}.txt"]
        compiles.append(argv)

    def in_turn() -> Run:
        runs = [measure(argv, env=env) for argv in compiles]
        return Run(wall=sum(run.wall for run in runs), cpu=sum(run.cpu for run in runs), peak=0)

    def at_once() -> Run:
        started = time.perf_counter()
        with ThreadPoolExecutor(len(compiles)) as pool:
            runs = list(pool.map(lambda argv: measure(argv, env=env), compiles))
        return Run(wall=time.perf_counter() - started, cpu=sum(run.cpu for run in runs), peak=0)

    in_turn()
    runs = turns({"ours": ours, "in turn": in_turn, "at once": at_once, "again": lambda: measure(lock, env=env)}, HEAVY_ROUNDS)
    for name, words in (("in turn", "one after another"), ("at once", "all at once")):
        row(
            f"tfsetup lock : uv pip compile for four targets, {words}, warm (wall)",
            low(runs["ours"], "wall"),
            low(runs[name], "wall"),
            "at most 1.5",
        )
    row("tfsetup lock, nothing changed : uv pip compile, all at once (wall)", low(runs["again"], "wall"), low(runs["at once"], "wall"), "")
    check = [TFSETUP, "lock", "--check", "--project", str(project)]
    quick = turns({"check": lambda: measure(check, env=env), "plan": lambda: measure([TFSETUP, "plan"], env=env)}, HEAVY_ROUNDS)
    row("tfsetup lock --check : tfsetup plan (processor)", low(quick["check"], "cpu"), low(quick["plan"], "cpu"), "about 1")


def _files_of(project: Path, target: str) -> list[dict[str, Any]]:
    data = json.loads((project / "tfsetup.lock.json").read_text())
    files: list[dict[str, Any]] = next(item["files"] for item in data["targets"] if item["target"]["name"] == target)
    return files
