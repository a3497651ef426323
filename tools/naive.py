"""Run what people type: `pip install tensorflow==X` of today in a new environment, then import, train, save; record what came of it.

    python tools/naive.py                        every release and Python without a result, the newest patch of every minor first
    python tools/naive.py 2.10.1 --python 3.10   these only
    python tools/naive.py --pip 2.10.1           by the pip that comes with that Python, instead of uv; the two differ at times
    python tools/naive.py --again                also what has a result
    python tools/naive.py --count 20             stop after so many
    python tools/naive.py --work /dev/shm/naive  make environments and cache there: in memory it is several times faster, and takes 4 GB

Each result is written to profiles/naive.json at once, so a run that is stopped goes on where it was. The disk stays bounded: one
environment at a time, a cache of its own that forgets each TensorFlow and is emptied when it grows over the limit, and an end when the disk
is nearly full. What could not be told (the network failed, the time was up) is printed and not recorded.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import naive_record as record  # noqa: E402 - the path is set above
from locks import read_releases  # noqa: E402
from naive_record import Naive, Outcome  # noqa: E402

from provisioner.facts import interpreters  # noqa: E402
from provisioner.local_host import LocalHost  # noqa: E402
from provisioner.words import size_words  # noqa: E402

RESULTS = ROOT / "profiles" / "naive.json"
WORK = ROOT / ".cache" / "naive"
PROBE = Path(__file__).with_name("naive_probe.py")
PLATFORM = "linux-x86_64"
CACHE_LIMIT = 3_000_000_000
LEAST_FREE = 25_000_000_000
# In a folder of its own, which may be in memory.
LEAST_FREE_WORK = 10_000_000_000
INSTALL_SECONDS = 1800
PROBE_SECONDS = 900
# Their versions explain most failures.
TELLING = ("numpy", "protobuf", "keras", "h5py", "setuptools")
# Settings of this machine that a stranger's would not have: other indexes, constraints, environments.
_FOREIGN = re.compile(r"PYTHON.*|VIRTUAL_ENV|CONDA_.*|UV_.*|PIP_(?!CERT|PROXY|INDEX_URL).*")
_NETWORK = re.compile(
    r"error sending request|dns error|operation timed out|Connection (reset|refused)|UnknownIssuer|server error|No space left"
    r"|ConnectionError|Read timed out|Max retries|SSLError|ProtocolError"
)


class UntoldError(Exception):
    """A run that says nothing about the packages."""


class Runner:
    """One environment at a time below ``work``, with the cache ``cache``; ``pip`` uses the pip that the Python brings instead of uv."""

    def __init__(self, work: Path, cache: Path, *, pip: bool) -> None:
        self.work, self.cache, self.pip = work, cache, pip
        self.uv = find_uv_bin()
        found = interpreters.probe(LocalHost(), None).value or ()
        self.pythons = {item.version.rsplit(".", 1)[0]: item.path for item in reversed(found) if not item.virtual}
        self.env = {name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)}
        self.env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
        self.env |= {"UV_CACHE_DIR": str(cache), "UV_NO_CONFIG": "1", "HOME": str(work), "TMPDIR": str(work), "CUDA_VISIBLE_DEVICES": "-1"}

    def run(self, release: str, python: str) -> Naive:
        """Install and probe one pair; raises ``UntoldError``."""
        if python not in self.pythons:
            raise UntoldError(f"there is no Python {python} on this machine")
        env = self.work / "env"
        try:
            resolver = self._create(env, self.pythons[python])
            failed = self._install(env, f"tensorflow=={release}")
            outcome, error, versions = ("cannot be installed", failed, {}) if failed else (*self._probe(env), self._versions(env))
        finally:
            shutil.rmtree(env, ignore_errors=True)
        today = dt.datetime.now(dt.timezone.utc).date().isoformat()
        return Naive(release=release, python=python, outcome=outcome, resolver=resolver, date=today, error=error, versions=versions)

    def _call(self, argv: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv, check=False, capture_output=True, text=True, errors="replace", env=self.env, cwd=self.work, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise UntoldError(f"{Path(argv[0]).name} did not end in {seconds:.0f} s") from error

    def _create(self, env: Path, python: str) -> str:
        argv = [python, "-m", "venv", str(env)] if self.pip else [self.uv, "venv", "--no-project", "--python", python, str(env)]
        made = self._call(argv, 300)
        if made.returncode:
            raise UntoldError("no environment: " + record.short(made.stderr))
        said = self._call([str(env / "bin" / "pip"), "--version"] if self.pip else [self.uv, "--version"], 120).stdout
        return " ".join(said.split()[:2])

    def _install(self, env: Path, requirement: str) -> str:
        """Return why it could not be installed, or nothing."""
        if self.pip:
            argv = [str(env / "bin" / "pip"), "install", "--no-cache-dir", requirement]
        else:
            argv = [self.uv, "pip", "install", "--python", str(env / "bin" / "python"), requirement]
        done = self._call(argv, INSTALL_SECONDS)
        if done.returncode == 0:
            return ""
        if _NETWORK.search(done.stderr):
            raise UntoldError(record.short(done.stderr[-2000:]))
        return record.install_error(done.stderr) or f"status {done.returncode}"

    def _probe(self, env: Path) -> tuple[Outcome, str]:
        done = self._call([str(env / "bin" / "python"), str(PROBE)], PROBE_SECONDS)
        return record.judge(done.stdout, done.stderr, done.returncode)

    def _versions(self, env: Path) -> dict[str, str]:
        argv = [self.uv, "pip", "list", "--format", "json", "--python", str(env / "bin" / "python")]
        listed = {item["name"]: item["version"] for item in json.loads(self._call(argv, 120).stdout or "[]")}
        return {name: listed[name] for name in TELLING if name in listed}

    def bound_cache(self) -> None:
        """Forget TensorFlow, of which no other pair uses the same file, and everything when the rest has grown over the limit."""
        self._call([self.uv, "cache", "clean", "tensorflow"], 600)
        if sum(path.lstat().st_size for path in self.cache.rglob("*") if path.is_file() and not path.is_symlink()) > CACHE_LIMIT:
            shutil.rmtree(self.cache, ignore_errors=True)


def pairs() -> Mapping[str, Sequence[str]]:
    """Return the Pythons of every release that is no pre-release and has a wheel for the platform."""
    return {
        release.version: build.pythons
        for release in read_releases().values()
        for build in release.builds
        if build.platform == PLATFORM and not release.prerelease
    }


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; status 1 when something could not be told."""
    parser = argparse.ArgumentParser(description="Run plain installs of TensorFlow and record what came of them in profiles/naive.json.")
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--python", default="")
    parser.add_argument("--pip", action="store_true", help="by the pip of each Python, not by uv")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args(arguments)
    wanted = [
        (release, python)
        for release, python in record.order(pairs())
        if (not options.versions or release in options.versions) and options.python in {"", python}
    ]
    results, untold = record.read(RESULTS), 0
    if not options.again:
        wanted = [pair for pair in wanted if (*pair, "pip" if options.pip else "uv") not in results]
    wanted = wanted[: options.count or None]
    options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.work) as work:
        runner = Runner(Path(work), options.work / "uv", pip=options.pip)
        for number, (release, python) in enumerate(wanted, 1):
            for place, least in ((ROOT, LEAST_FREE), (options.work, LEAST_FREE_WORK)):
                free = shutil.disk_usage(place).free
                if free < least:
                    print(f"only {size_words(free)} are free at {place}; the rest is left for the next run", file=sys.stderr)
                    return 1
            started, name = time.monotonic(), f"[{number}/{len(wanted)}] {release} on Python {python}"
            try:
                result = runner.run(release, python)
            except UntoldError as error:
                untold += 1
                print(f"{name}: not told: {error}", flush=True)
                continue
            results = {**record.read(RESULTS), record.key(result): result}
            beside = RESULTS.with_suffix(".new")
            beside.write_text(record.text(results.values()), encoding="utf-8")
            beside.replace(RESULTS)
            print(f"{name}: {result.outcome} {result.error} ({time.monotonic() - started:.0f} s)", flush=True)
            runner.bound_cache()
    return 1 if untold else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
