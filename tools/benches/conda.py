"""Conda environments, solved and linked."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benches.measure import ROOT, ROUNDS, Run, low, measure, row, turns

PYTHON = "3.11"
PACKAGES = 60
FILES = 200

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
            files={f"share/part-{number}/{inner // 50}/{inner}.txt": f"{number} {inner}\n" * 20 for inner in range(FILES)},
        )
        for number in range(PACKAGES)
    ]
    # It stands for TensorFlow's own package, which needs all the others, so that one request is about all of them.
    whole = ("cudatoolkit 11.0.*", "cudnn 8.0.*", f"part-{PACKAGES - 1}")
    head = Package(name="tensorflow", version="2.0", build="cpu_0", depends=whole)
    channel = build.build(folder, [*build.pythons(PYTHON), *cuda.every(), *others, head])
    return channel.url, ("tensorflow * cpu*", f"python {PYTHON}.*", "pip")


def bench(env: dict[str, str]) -> None:
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
