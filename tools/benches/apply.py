"""Making and proving an environment."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benches.measure import HEAVY_ROUNDS, RELEASE, ROOT, TFSETUP, UV, Run, low, measure, row, together, turns


def bench(env: dict[str, str]) -> None:
    """Making and proving an environment, against the same by hand."""
    bench = Path(env["BENCH"])
    planned = subprocess.run(
        [TFSETUP, "plan", "--json", "--device", "cpu", "--tensorflow", RELEASE, "--env", str(bench / "ours")],
        check=True, env=env, capture_output=True, text=True,
    )  # fmt: skip
    plan = json.loads(planned.stdout)
    python = plan["choice"]["interpreter"]["path"]
    requirements = bench / "lock.txt"
    requirements.write_text("".join(f"{item['name']}=={item['version']} --hash=sha256:{item['sha256']}\n" for item in plan["packages"]))
    probe = str(ROOT / "provisioner" / "in_process" / "_tensorflow.py")
    apply = [TFSETUP, "apply", "--yes", "--device", "cpu", "--tensorflow", RELEASE, "--env", str(bench / "ours")]

    def ours() -> Run:
        shutil.rmtree(bench / "ours", ignore_errors=True)
        return measure(apply, env=env, watch_memory=True)

    target = str(bench / "theirs" / "bin" / "python")

    def theirs(proof: Sequence[str]) -> Run:
        shutil.rmtree(bench / "theirs", ignore_errors=True)
        runs = [
            measure([UV, "venv", "-q", "--python", python, str(bench / "theirs")], env=env),
            measure([UV, "pip", "sync", "-q", "--require-hashes", "--python", target, str(requirements)], env=env),
            measure(proof, env={**env, "PYTHONDONTWRITEBYTECODE": "1"}),
        ]
        return together(runs)

    def verified() -> Run:
        """The same by hand, proven in the same way: files, packages and machine looked at, too."""
        return theirs([TFSETUP, "verify", "--env", str(bench / "theirs")])

    def computed() -> Run:
        """The same by hand, and TensorFlow's own checks alone."""
        return theirs([target, probe, "--out", str(bench / "probe.out")])

    def pip() -> Run:
        shutil.rmtree(bench / "pip", ignore_errors=True)
        target = str(bench / "pip" / "bin" / "python")
        runs = [
            measure([python, "-m", "venv", str(bench / "pip")], env=env),
            measure([target, "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(requirements)], env=env),
        ]
        return together(runs)

    ours(), verified()
    runs = turns({"ours": ours, "verified": verified, "computed": computed}, HEAVY_ROUNDS)
    wall = {name: low(found, "wall") for name, found in runs.items()}
    row("tfsetup apply : uv venv + uv pip sync + tfsetup verify, warm (wall)", wall["ours"], wall["verified"], "at most 1.06")
    row("tfsetup apply : uv venv + uv pip sync + TensorFlow's checks alone (wall)", wall["ours"], wall["computed"], "at most 1.10")
    pip()
    by_pip = turns({"pip": pip}, HEAVY_ROUNDS)
    staged = [install_stage(apply, bench, env) for _ in range(HEAVY_ROUNDS)]
    row("its install stage : python -m venv + pip install, warm (wall)", min(staged), low(by_pip["pip"], "wall"), "at most 0.1")
    peak = max(run.peak for run in runs["ours"])
    print(f"{'peak memory of tfsetup apply itself':<78} {peak / 1e6:>9.1f} MB{'':>20}   at most 80 MB")


def install_stage(apply: Sequence[str], bench: Path, env: dict[str, str]) -> float:
    """Return the seconds of the stages ``create`` and ``install`` of one apply, as its own events tell them."""
    shutil.rmtree(bench / "ours", ignore_errors=True)
    done = subprocess.run([*apply, "--json"], check=True, env=env, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return sum(float(event["seconds"]) for event in events if event["event"] == "finish" and event["stage"] in {"create", "install"})
