"""Speed against the tools one would use instead, measured in one run, as ratios.

    python tools/bench.py            everything
    python tools/bench.py start      start-up and planning only (seconds)
    python tools/bench.py lock       a team's lock only (a minute; asks the index)
    python tools/bench.py conda      conda environments only (a minute)

Times of one machine say little; ratios of commands that ran in turns on it say something. Each row names its floor: what issue 2 asked for.
Nothing here is a test: a slow machine must not make one fail.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the tests' channel
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


def row(what: str, ours: float, theirs: float, floor: str) -> None:
    """Print one ratio."""
    print(f"{what:<78} {ours:>9.3f} s {theirs:>9.3f} s {ours / theirs:>7.2f}   {floor}")


def low(runs: Sequence[Run], field: str) -> float:
    """Return the median of the better half: other work on the machine only ever adds."""
    values: list[float] = sorted(getattr(run, field) for run in runs)
    return statistics.median(values[: max(1, (len(values) + 1) // 2)])


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


def bench_apply(env: dict[str, str]) -> None:
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
        return Run(wall=sum(run.wall for run in runs), cpu=sum(run.cpu for run in runs), peak=0)

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
        return Run(wall=sum(run.wall for run in runs), cpu=sum(run.cpu for run in runs), peak=0)

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


LOCK_CUTOFF = "2026-06-01T00:00:00Z"
LOCK_PYTHON = "3.11"
LOCK_TARGETS = {
    "linux-gpu": ("linux-x86_64", "cuda", "x86_64-manylinux_2_28"),
    "linux-ci": ("linux-x86_64", "cpu", "x86_64-manylinux_2_28"),
    "mac": ("macos-aarch64", "cpu", "aarch64-apple-darwin"),
    "windows": ("windows-x86_64", "cpu", "x86_64-pc-windows-msvc"),
}
LOCK_PACKAGES = ("pandas", "scikit-learn", "matplotlib", "fastapi[standard]")


def _team(project: Path) -> None:
    """Write the declaration of a team with four targets."""
    targets = "".join(
        f"  - {{name: {name}, platform: {platform}, device: {device}{', floor: 2.28' if 'linux' in platform else ''}}}\n"
        for name, (platform, device, _) in LOCK_TARGETS.items()
    )
    packages = "".join(f"  - {package}\n" for package in LOCK_PACKAGES)
    text = f"tensorflow: 2.20.0\npythons: [{LOCK_PYTHON}]\ntargets:\n{targets}requirements:\n{packages}"
    (project / "tfsetup.yaml").write_text(text, encoding="utf-8")


def bench_lock(env: dict[str, str]) -> None:
    """Locking four targets, against the same runs of `uv pip compile`: same set, same packages, same date; one after another, and at once."""
    project = Path(env["BENCH"]) / "team"
    project.mkdir()
    _team(project)
    lock = [TFSETUP, "lock", "--project", str(project), "--cutoff", LOCK_CUTOFF]

    def ours() -> Run:
        for path in project.iterdir():
            if path.name != "tfsetup.yaml":
                path.unlink()
        return measure(lock, env=env)

    ours()
    compiles = []
    for name, (_, _, platform) in LOCK_TARGETS.items():
        pins = [line.split(" ")[0] for line in (project / f"requirements.{name}.txt").read_text().splitlines() if "==" in line]
        own = [pin for pin in pins if pin.partition("==")[0] in {"tensorflow", "tensorflow-cpu"}]
        profile = {file["name"] for file in _files_of(project, name) if file["profile"]}
        (project.parent / f"{name}.in").write_text("\n".join([*own, *LOCK_PACKAGES]) + "\n")
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
        argv += ["--python-version", LOCK_PYTHON, "--python-platform", platform, "--exclude-newer", LOCK_CUTOFF, "-o", f"{name}.txt"]
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


def install_stage(apply: Sequence[str], bench: Path, env: dict[str, str]) -> float:
    """Return the seconds of the stages ``create`` and ``install`` of one apply, as its own events tell them."""
    shutil.rmtree(bench / "ours", ignore_errors=True)
    done = subprocess.run([*apply, "--json"], check=True, env=env, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return sum(float(event["seconds"]) for event in events if event["event"] == "finish" and event["stage"] in {"create", "install"})


CONDA_PACKAGES = 60
CONDA_FILES = 200

# What one would write with rattler to have the same environment: one process that solves and links.
RATTLER = """
import asyncio, os, sys
import rattler

async def main(channel, cache, prefix, *specs):
    words = (("__unix", "0"), ("__linux", "6.1"), ("__glibc", "2.35"), ("__cuda", "11.0"))
    virtual = [rattler.GenericVirtualPackage(rattler.PackageName(n), rattler.Version(v), rattler.BuildString("0")) for n, v in words]
    gateway = rattler.Gateway(cache_dir=cache + "/repodata")
    found = await rattler.solve([channel], list(specs), platforms=["linux-64", "noarch"], virtual_packages=virtual, gateway=gateway)
    await rattler.install(found, target_prefix=prefix, cache_dir=cache + "/pkgs", show_progress=False)

asyncio.run(main(*sys.argv[1:]))
os._exit(0)  # py-rattler 0.28 may crash when Python takes itself apart
"""
# What tfsetup does for solving and linking, and nothing else of an apply: facts, choice, wheels and proof are not in it.
OURS = """
import sys, time
from pathlib import Path
from provisioner.conda.sources import places
from provisioner.conda.compare import compare, leaving
from provisioner.engines import rattler
from provisioner.host.local import LocalHost
from provisioner.model.conda_package import Present
from provisioner.model.request import Request

seconds, channel, repodata, prefix, *specs = sys.argv[1:]
started, used = time.perf_counter(), time.process_time()
host = LocalHost()
found = places(host, Request(env=prefix, kind="conda", channels=(channel,)), ())
virtual = ("__unix=0=0", "__linux=6.1=0", "__glibc=2.35=0", "__cuda=11.0=0")
solution = rattler.solve(host, found.channels, subdir="linux-64", specs=specs, virtual=virtual, repodata=repodata)
packages, _, _ = compare(solution, Present(), leaving(Present(), ()))
rattler.install(host, found.channels, packages, prefix=prefix, target=prefix, subdir="linux-64", specs=specs)
Path(seconds).write_text(f"{time.perf_counter() - started} {used}")
"""
# The whole of an apply but for wheels and the proof: everything comes from the channel, and whoever asks is content with it.
WHOLE = """
import sys, time
from pathlib import Path
from provisioner.base.progress import SILENT
from provisioner.commands import plan as stages
from provisioner.change.execute import execute
from provisioner.host.local import LocalHost
from provisioner.model.finding import Verification
from provisioner.model.request import Request
from provisioner.session import Session

seconds, channel, _, prefix, *specs = sys.argv[1:]
started, used = time.perf_counter(), time.process_time()
host = LocalHost()
request = Request(env=prefix, kind="conda", source="conda", device="cpu", channels=(channel,), python=specs[1].split()[1].removesuffix(".*"))
plan = stages.plan(Session(host), request).plan
passed = Verification(env=prefix, python="", tensorflow="", device="cpu", checks=(), libraries=(), findings=())
execute(plan, host, prove=lambda root: passed, progress=SILENT, wait=0)
Path(seconds).write_text(f"{time.perf_counter() - started} {used}")
"""


def _conda_channel(folder: Path) -> tuple[str, tuple[str, ...]]:
    """Build a channel of a Python, CUDA's libraries and other packages; return its address and what is asked of it."""
    from tests.channel import build, cuda  # noqa: PLC0415 - only here
    from tests.channel.packages import Package  # noqa: PLC0415 - only here

    others = [
        Package(
            name=f"part-{number}",
            version="1.0",
            depends=(f"part-{number - 1}",) if number else ("python",),
            files={f"share/part-{number}/{inner // 50}/{inner}.txt": f"{number} {inner}\n" * 20 for inner in range(CONDA_FILES)},
        )
        for number in range(CONDA_PACKAGES)
    ]
    # It stands for TensorFlow's own package, which needs all the others, so that one request is about all of them.
    whole = ("cudatoolkit 11.0.*", "cudnn 8.0.*", f"part-{CONDA_PACKAGES - 1}")
    head = Package(name="tensorflow", version="2.0", build="cpu_0", depends=whole)
    channel = build.build(folder, [*build.pythons(LOCK_PYTHON), *cuda.every(), *others, head])
    return channel.url, ("tensorflow * cpu*", f"python {LOCK_PYTHON}.*", "pip")


def bench_conda(env: dict[str, str]) -> None:
    """A conda environment solved and linked, against the same by rattler alone; package caches are warm, and each has its own."""
    bench = Path(env["BENCH"])
    channel, specs = _conda_channel(bench / "channel")
    repodata = bench / "repodata"
    repodata.mkdir()
    env = {**env, "RATTLER_CACHE_DIR": str(bench / "our packages"), "PYTHONPATH": str(ROOT)}
    env["TFSETUP_CACHE_DIR"] = str(bench / "our cache")
    (bench / "our cache").mkdir()
    for name, text in (("ours", OURS), ("whole", WHOLE), ("theirs", RATTLER)):
        (bench / f"{name}.py").write_text(text)

    def run(name: str, argv: Sequence[str]) -> Run:
        shutil.rmtree(bench / name, ignore_errors=True)
        return measure(argv, env=env)

    def ours(name: str) -> Run:
        # tfsetup itself runs already when it comes to that, so what counts begins there; rattler's script is nothing else.
        argv = [sys.executable, str(bench / f"{name}.py"), str(bench / "seconds"), channel, str(repodata), str(bench / name), *specs]
        whole = run(name, argv)
        wall, before = map(float, (bench / "seconds").read_text().split())
        return Run(wall=wall, cpu=whole.cpu - before, peak=0)

    def theirs() -> Run:
        argv = [sys.executable, str(bench / "theirs.py"), channel, str(bench / "their packages"), str(bench / "theirs"), *specs]
        return run("theirs", argv)

    ours("ours"), ours("whole"), theirs()
    linked = {name: _files(bench / name) for name in ("ours", "theirs")}
    if linked["ours"] != linked["theirs"]:
        raise RuntimeError(f"not the same environments: {len(linked['ours'] ^ linked['theirs'])} paths differ")
    runs = turns({"ours": partial(ours, "ours"), "theirs": theirs, "whole": partial(ours, "whole")}, ROUNDS)
    words = f"{len(linked['ours'])} files"
    row(
        f"conda: solve and link, {words} : rattler's own, warm (wall)",
        low(runs["ours"], "wall"),
        low(runs["theirs"], "wall"),
        "at most 1.15",
    )
    row(f"conda: solve and link, {words} : rattler's own, warm (CPU)", low(runs["ours"], "cpu"), low(runs["theirs"], "cpu"), "")
    row("conda: whole apply without wheels and proof : rattler's own (wall)", low(runs["whole"], "wall"), low(runs["theirs"], "wall"), "")


def _files(prefix: Path) -> set[str]:
    """Return the paths below a prefix, but for what rattler leaves besides packages."""
    marks = {"CACHEDIR.TAG", "conda-meta/history", "conda-meta/.condarc-lock"}
    found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir() or path.is_symlink()}
    return found - marks


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and print a table of ratios."""
    with tempfile.TemporaryDirectory(prefix="tfsetup-bench-") as folder:
        env = {**os.environ, "BENCH": folder, "UV_PYTHON_DOWNLOADS": "never"}
        print(f"{'what':<78} {'ours':>11} {'theirs':>11} {'ratio':>7}   floor")
        if not {"lock", "conda"} & set(arguments):
            bench_start(env)
            bench_profiles(env)
        if not {"start", "lock", "conda"} & set(arguments):
            bench_apply(env)
        if not {"start", "lock"} & set(arguments):
            bench_conda(env)
        if not {"start", "conda"} & set(arguments):
            bench_lock(env)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
