"""Run what people type: `pip install tensorflow==X` of today in a new environment, then import, train, save; record what came of it.

    python tools/naive.py                        every release and Python without a result, the newest patch of every minor first
    python tools/naive.py 2.10.1 --python 3.10   these only
    python tools/naive.py --pip 2.10.1           by the pip that comes with that Python, instead of uv; the two differ at times
    python tools/naive.py --pip --slow           pip does everything itself
    python tools/naive.py --again                also what has a result
    python tools/naive.py --count 20             stop after so many
    python tools/naive.py --work /dev/shm/naive  make environments and cache there: in memory it is several times faster, and takes 4 GB

Each result is written to profiles/naive.json at once, so a run that is stopped goes on where it was. The disk stays bounded: two
environments at a time (the next is installed while one is tried), a cache of its own that forgets each TensorFlow and is emptied when it
grows over the limit, and an end when the disk is nearly full. What could not be told (the network failed, the time was up) is printed and
not recorded.

By pip, the work is shared out, because pip alone needs up to two minutes for each: the pip of that Python chooses (naive_resolve.py: pip's
own resolver in an environment with only what `python -m venv` puts there, all releases of a Python in one process), then uv puts exactly
those wheels, by their addresses, beside that pip and setuptools; a source distribution among them is built and installed by that pip
itself. Nothing is compiled to byte code beforehand. Where pip finds no answer, and where it is older than 20.3, it does the whole install
itself, as it does everywhere with --slow; the two ways are to choose the same versions.
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
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import naive_record as record  # noqa: E402 - the path is set above
from locks import read_releases  # noqa: E402
from naive_record import Naive, Outcome  # noqa: E402

from provisioner.base.text import size_words  # noqa: E402
from provisioner.facts import interpreters  # noqa: E402
from provisioner.host.local import LocalHost  # noqa: E402

RESULTS = ROOT / "profiles" / "naive.json"
WORK = ROOT / ".cache" / "naive"
PROBE = Path(__file__).with_name("naive_probe.py")
RESOLVE = Path(__file__).with_name("naive_resolve.py")
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
    """Environments below ``work``, two at most at a time, with the cache ``cache``; by uv."""

    def __init__(self, work: Path, cache: Path) -> None:
        self.work, self.cache = work, cache
        self.uv = find_uv_bin()
        found = interpreters.probe(LocalHost(), None).value or ()
        self.pythons = {item.version.rsplit(".", 1)[0]: item.path for item in reversed(found) if not item.virtual}
        self.env = {name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)}
        self.env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
        self.env |= {"UV_CACHE_DIR": str(cache), "UV_NO_CONFIG": "1", "HOME": str(work), "TMPDIR": str(work), "CUDA_VISIBLE_DEVICES": "-1"}

    def results(self, wanted: Sequence[tuple[str, str]]) -> Iterator[Naive | UntoldError]:
        """Yield what came of each pair, in order; the next one is installed while one is probed."""
        with ThreadPoolExecutor(max_workers=1) as ahead:
            waiting: deque[tuple[tuple[str, str], Path, Future[tuple[str, str]]]] = deque()
            for number, pair in enumerate((*wanted, None)):
                if pair is not None:
                    env = self.work / f"env-{number}"
                    waiting.append((pair, env, ahead.submit(self._ready, *pair, env)))
                if waiting and (pair is None or number):
                    yield self._result(*waiting.popleft())

    def _ready(self, release: str, python: str, env: Path) -> tuple[str, str]:
        """Make and fill an environment; return who chose the versions and why it failed, if it did. Raises ``UntoldError``."""
        if python not in self.pythons:
            raise UntoldError(f"there is no Python {python} on this machine")
        self._bound_cache()
        resolver = self._create(env, self.pythons[python])
        return resolver, self._install(env, f"tensorflow=={release}")

    def _result(self, pair: tuple[str, str], env: Path, made: Future[tuple[str, str]]) -> Naive | UntoldError:
        try:
            resolver, failed = made.result()
            outcome, error, versions = ("cannot be installed", failed, {}) if failed else (*self._probe(env), self._versions(env))
        except UntoldError as untold:
            return untold
        finally:
            shutil.rmtree(env, ignore_errors=True)
        today = dt.datetime.now(dt.timezone.utc).date().isoformat()
        return Naive(release=pair[0], python=pair[1], outcome=outcome, resolver=resolver, date=today, error=error, versions=versions)

    def _call(self, argv: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv, check=False, capture_output=True, text=True, errors="replace", env=self.env, cwd=self.work, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise UntoldError(f"{Path(argv[0]).name} did not end in {seconds:.0f} s") from error

    def _create(self, env: Path, python: str) -> str:
        """Make the environment and return who resolves, with the version."""
        made = self._call([self.uv, "venv", "--no-project", "--python", python, str(env)], 300)
        if made.returncode:
            raise UntoldError("no environment: " + record.short(made.stderr))
        return " ".join(self._call([self.uv, "--version"], 120).stdout.split()[:2])

    def _install(self, env: Path, requirement: str) -> str:
        """Return why it could not be installed, or nothing."""
        return self._installed([self.uv, "pip", "install", "--python", str(env / "bin" / "python"), requirement])

    def _installed(self, argv: Sequence[str]) -> str:
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

    def _bound_cache(self) -> None:
        """Forget TensorFlow, of which no other pair uses the same file, and everything when the rest has grown over the limit.

        An environment keeps what it linked from the cache.
        """
        self._call([self.uv, "cache", "clean", "tensorflow"], 600)
        if sum(path.lstat().st_size for path in self.cache.rglob("*") if path.is_file() and not path.is_symlink()) > CACHE_LIMIT:
            shutil.rmtree(self.cache, ignore_errors=True)


class PipRunner(Runner):
    """The same by the pip that each Python brings; ``wanted`` are the pairs that will be run, ``slow`` lets pip do everything itself."""

    def __init__(self, work: Path, cache: Path, *, wanted: Sequence[tuple[str, str]], slow: bool) -> None:
        super().__init__(work, cache)
        self.wanted, self.slow = wanted, slow
        # What pip chose, by Python and requirement: (name, address) of each distribution.
        self.chosen: dict[str, dict[str, list[tuple[str, str | None]] | None]] = {}

    def _create(self, env: Path, python: str) -> str:
        """Make the environment from one that `python -m venv` made, which is kept: pip and setuptools are linked from it."""
        model = self.work / f"model-{'-'.join(Path(python).parts[-3:])}"
        for made, extra in ((model, []), (env, ["--without-pip"])):
            if not made.exists() and (done := self._call([python, "-m", "venv", *extra, str(made)], 300)).returncode:
                raise UntoldError("no environment: " + record.short(done.stderr))
        (packages,) = model.glob("lib/python3.*/site-packages")
        shutil.copytree(packages, env / packages.relative_to(model), copy_function=os.link, dirs_exist_ok=True)
        said = self._call([str(env / "bin" / "python"), "-m", "pip", "--version"], 120).stdout
        return " ".join(said.split()[:2])

    def _install(self, env: Path, requirement: str) -> str:
        """Return why it could not be installed, or nothing."""
        python = str(env / "bin" / "python")
        chosen = None if self.slow else self._choose(python, requirement)
        if chosen is None:
            return self._installed([python, "-m", "pip", "install", "--no-cache-dir", "--no-compile", requirement])
        comes = [(name, address) for name, address in chosen if address is not None]
        wheels = [f"{name} @ {address}" for name, address in comes if address.split("#")[0].endswith(".whl")]
        failed = self._installed([self.uv, "pip", "install", "--python", python, "--no-deps", *wheels])
        for _name, address in comes:
            if not failed and not address.split("#")[0].endswith(".whl"):
                failed = self._installed([python, "-m", "pip", "install", "--no-cache-dir", "--no-compile", "--no-deps", address])
        return failed

    def _choose(self, python: str, requirement: str) -> list[tuple[str, str | None]] | None:
        """Return what pip chooses, or None when it must do it all itself. ``python`` is one with nothing but that pip."""
        version = self._call([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], 60).stdout.strip()
        if version not in self.chosen:
            asked = [f"tensorflow=={release}" for release, wanted in self.wanted if wanted == version]
            done = self._call([python, str(RESOLVE), *asked], INSTALL_SECONDS)
            said = [json.loads(line[len(record.MARK) :]) for line in done.stdout.splitlines() if line.startswith(record.MARK)]
            self.chosen[version] = {item["requirement"]: item["chosen"] for item in said}
        return self.chosen[version].get(requirement)


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
    parser.add_argument("--slow", action="store_true", help="with --pip: pip does everything itself")
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
        cache = options.work / "uv"
        runner = PipRunner(Path(work), cache, wanted=wanted, slow=options.slow) if options.pip else Runner(Path(work), cache)
        started = time.monotonic()
        for number, ((release, python), result) in enumerate(zip(wanted, runner.results(wanted), strict=True), 1):
            name = f"[{number}/{len(wanted)}] {release} on Python {python}"
            if isinstance(result, UntoldError):
                untold += 1
                print(f"{name}: not told: {result}", flush=True)
            else:
                results = {**record.read(RESULTS), record.key(result): result}
                beside = RESULTS.with_suffix(".new")
                beside.write_text(record.text(results.values()), encoding="utf-8")
                beside.replace(RESULTS)
                print(f"{name}: {result.outcome} {result.error} ({time.monotonic() - started:.0f} s since the start)", flush=True)
            for place, least in ((ROOT, LEAST_FREE), (options.work, LEAST_FREE_WORK)):
                free = shutil.disk_usage(place).free
                if free < least:
                    print(f"only {size_words(free)} are free at {place}; the rest is left for the next run", file=sys.stderr)
                    return 1
    return 1 if untold else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
