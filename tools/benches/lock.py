"""A team's lock of four targets."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benches.measure import HEAVY_ROUNDS, TFSETUP, UV, Run, low, measure, row, together, turns

CUTOFF = "2026-06-01T00:00:00Z"
PYTHON = "3.11"
TARGETS = {
    "linux-gpu": ("linux-x86_64", "cuda", "x86_64-manylinux_2_28"),
    "linux-ci": ("linux-x86_64", "cpu", "x86_64-manylinux_2_28"),
    "mac": ("macos-aarch64", "cpu", "aarch64-apple-darwin"),
    "windows": ("windows-x86_64", "cpu", "x86_64-pc-windows-msvc"),
}
LISTS = {"four packages": ("pandas", "scikit-learn", "matplotlib", "fastapi[standard]"), "one package": ("pandas",)}


def _team(project: Path, packages: Sequence[str]) -> None:
    """Write the declaration of a team with four targets."""
    targets = "".join(
        f"  - {{name: {name}, platform: {platform}, device: {device}{', floor: 2.28' if 'linux' in platform else ''}}}\n"
        for name, (platform, device, _) in TARGETS.items()
    )
    listed = "".join(f"  - {package}\n" for package in packages)
    text = f"tensorflow: 2.20.0\npythons: [{PYTHON}]\ntargets:\n{targets}requirements:\n{listed}"
    (project / "tfsetup.yaml").write_text(text, encoding="utf-8")


def bench(env: dict[str, str]) -> None:
    """Locking four targets, against the same runs of `uv pip compile`: same set, same packages, same date; one after another, and at once."""
    for words, packages in LISTS.items():
        _bench_list(env, words, packages)
    check = [TFSETUP, "lock", "--check", "--project", str(Path(env["BENCH"]) / next(iter(LISTS)))]
    quick = turns({"check": lambda: measure(check, env=env), "plan": lambda: measure([TFSETUP, "plan"], env=env)}, HEAVY_ROUNDS)
    row("tfsetup lock --check : tfsetup plan (processor)", low(quick["check"], "cpu"), low(quick["plan"], "cpu"), "at most 1.1")


def _bench_list(env: dict[str, str], words: str, packages: Sequence[str]) -> None:
    project = Path(env["BENCH"]) / words
    project.mkdir()
    _team(project, packages)
    lock = [TFSETUP, "lock", "--project", str(project), "--cutoff", CUTOFF]

    def ours() -> Run:
        for path in project.iterdir():
            if path.name != "tfsetup.yaml":
                path.unlink()
        return measure(lock, env=env)

    ours()
    compiles = [_compile(project, name, packages) for name in TARGETS]

    def in_turn() -> Run:
        return together([measure(argv, env=env) for argv in compiles])

    def at_once() -> Run:
        started = time.perf_counter()
        with ThreadPoolExecutor(len(compiles)) as pool:
            runs = list(pool.map(lambda argv: measure(argv, env=env), compiles))
        return replace(together(runs), wall=time.perf_counter() - started)

    in_turn()
    runs = turns({"ours": ours, "in turn": in_turn, "at once": at_once, "again": lambda: measure(lock, env=env)}, HEAVY_ROUNDS)
    what = f"tfsetup lock of {words} : uv pip compile for four targets"
    wall = {name: low(found, "wall") for name, found in runs.items()}
    row(f"{what}, one after another (wall)", wall["ours"], wall["in turn"], "at most 1.2")
    row(f"{what}, all at once (wall)", wall["ours"], wall["at once"], "at most 1.2")
    row(f"{what} (processor)", low(runs["ours"], "cpu"), low(runs["at once"], "cpu"), "")
    row(f"tfsetup lock of {words}, nothing changed : the same, all at once (wall)", wall["again"], wall["at once"], "")


def _compile(project: Path, target: str, packages: Sequence[str]) -> list[str]:
    """Write what `uv pip compile` reads for a target beside the project, and return the command."""
    pins = [line.split(" ")[0] for line in (project / f"requirements.{target}.txt").read_text().splitlines() if "==" in line]
    own = [pin for pin in pins if pin.partition("==")[0] in {"tensorflow", "tensorflow-cpu"}]
    profile = {file["name"] for file in _files_of(project, target) if file["profile"]}
    place = f"{project}.{target}"
    Path(f"{place}.in").write_text("\n".join([*own, *packages]) + "\n")
    Path(f"{place}.limits").write_text("".join(f"{pin}\n" for pin in pins if pin.partition("==")[0] in profile))
    argv = [
        UV,
        "pip",
        "compile",
        f"{place}.in",
        "--constraints",
        f"{place}.limits",
        "--generate-hashes",
        "--only-binary",
        ":all:",
        "--quiet",
    ]
    argv += ["--python-version", PYTHON, "--python-platform", TARGETS[target][2], "--exclude-newer", CUTOFF]
    return [*argv, "-o", f"{place}.txt"]


def _files_of(project: Path, target: str) -> list[dict[str, Any]]:
    data = json.loads((project / "tfsetup.lock.json").read_text())
    files: list[dict[str, Any]] = next(item["files"] for item in data["targets"] if item["target"]["name"] == target)
    return files
