"""Commands run in turns, their seconds, and a row of the table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TFSETUP = str(BIN / "tfsetup")
UV = str(BIN / "uv")
RELEASE = "2.21.0"
ROUNDS = 15
HEAVY_ROUNDS = 3


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds of wall clock and of processor (children too), the peak of its own memory in bytes."""

    wall: float
    cpu: float
    peak: int


def measure(argv: Sequence[str], *, env: dict[str, str], watch_memory: bool = False) -> Run:
    """Run a command; raises ``RuntimeError`` when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=env["BENCH"])
    peak = 0
    while watch_memory:
        peak = max(peak, _peak(process.pid))
        if _ended(process.pid):
            break
        time.sleep(0.02)
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{argv}: {errors.decode(errors='replace')[-2000:]}")
    return Run(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=peak)


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _peak(pid: int) -> int:
    return int(_status(pid).get("VmHWM", "0 kB").split()[0]) * 1024


def _ended(pid: int) -> bool:
    return _status(pid).get("State", "Z").startswith("Z")


def turns(actions: dict[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Run the actions in turns, so that a busy moment falls on all of them."""
    results: dict[str, list[Run]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            results[name].append(action())
    return results


def together(runs: Sequence[Run]) -> Run:
    """Return what runs one after another took."""
    return Run(wall=sum(run.wall for run in runs), cpu=sum(run.cpu for run in runs), peak=0)


def row(what: str, ours: float, theirs: float, floor: str) -> None:
    """Print one ratio."""
    print(f"{what:<78} {ours:>9.3f} s {theirs:>9.3f} s {ours / theirs:>7.2f}   {floor}")


def low(runs: Sequence[Run], field: str) -> float:
    """Return the median of the better half: other work on the machine only ever adds."""
    values: list[float] = sorted(getattr(run, field) for run in runs)
    return statistics.median(values[: max(1, (len(values) + 1) // 2)])
