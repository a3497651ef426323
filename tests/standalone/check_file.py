"""dist/tfsetup on machines without a Python, with Python 3.6 alone, with a broken one: folders of Debian, entered by chroot.

``make standalone`` runs this. Root on a Debian, and a network: the last test installs a real TensorFlow.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dist" / "tfsetup"
KEPT = ROOT / ".cache" / "standalone"
OLD = Path.home() / ".pyenv" / "versions" / "3.6.15"
LARGEST_MB = 60
TIMES = 3

Run = Callable[..., subprocess.CompletedProcess[str]]


def entered(root: Path) -> Iterator[Run]:
    """Yield what runs a command line in the folder ``root`` as on a machine of its own, with an empty home."""
    (root / "usr" / "local" / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(FILE, root / "usr" / "local" / "bin" / "tfsetup")
    for name in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(name).exists():
            (root / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, root / name[1:])
    home = root / "home" / "u"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    inside = 'mount -t proc proc "$1/proc" && mount --make-private / && exec chroot "$1" sh -c "cd /home/u && $2"'

    def run(line: str, *, path: str = "/usr/local/bin:/usr/bin:/bin", **variables: str) -> subprocess.CompletedProcess[str]:
        assigned = {"HOME": "/home/u", "PATH": path, "LANG": "C.UTF-8", **variables}
        typed = f"env -i {' '.join(f'{name}={value}' for name, value in assigned.items())} {line}"
        # The programs that enter are this machine's.
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", inside, "sh", root, typed],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True, timeout=1800, check=False,
        )  # fmt: skip

    yield run
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def none() -> Iterator[Run]:
    """Debian 11, glibc 2.31, and no Python at all."""
    yield from entered(KEPT / "bullseye")


@pytest.fixture(scope="module")
def only_old() -> Iterator[Run]:
    """Debian 12 with Python 3.6 alone, and in /opt/broken one that does not start."""
    root = KEPT / "bookworm"
    if not OLD.exists():
        pytest.skip(f"there is no {OLD}")
    if not (root / ".made").exists():
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=libssl3,libffi8,zlib1g", "bookworm", root], check=True)
        (root / ".made").touch()
    if not (root / OLD.relative_to("/")).exists():
        shutil.copytree(OLD, root / OLD.relative_to("/"), symlinks=True, ignore=shutil.ignore_patterns("test", "__pycache__", "*.a"))
    broken = root / "opt" / "broken" / "python3"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("#!/bin/sh\necho 'python3: error while loading shared libraries' >&2\nexit 127\n")
    broken.chmod(0o755)
    yield from entered(root)


def test_it_is_small() -> None:
    assert FILE.stat().st_size <= LARGEST_MB * 1e6


def cpu(*argv: str | Path) -> float:
    """Return the CPU time of a command, the least of five, in seconds."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(word) for word in argv], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.parametrize("args", [("--version",), ("plan", "--env", "/nowhere/tf-env")])
def test_it_starts_as_fast(args: tuple[str, ...]) -> None:
    installed = Path(sys.executable).parent / "tfsetup"
    assert cpu(FILE, *args) <= TIMES * cpu(installed, *args)


def test_the_first_start_says_that_it_unpacks_and_the_second_does_not(none: Run) -> None:
    first = none("tfsetup --version")
    assert (first.returncode, first.stdout[:8]) == (0, "tfsetup "), first.stderr
    assert first.stderr == "tfsetup: unpacking itself, once, into /home/u/.cache/tfsetup/standalone\n"
    second = none("tfsetup --version")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert [path.name[0] for path in (KEPT / "bullseye/home/u/.cache/tfsetup/standalone").iterdir()] == ["0"], "nothing is left beside it"


def test_a_place_that_cannot_be_written_is_done_without(none: Run) -> None:
    ended = none("tfsetup --version", TFSETUP_CACHE_DIR="/proc/nowhere")
    assert ended.returncode == 0, ended.stderr
    assert not list((KEPT / "bullseye/tmp").glob("tmp.*"))


@pytest.mark.parametrize("damage", ["head -c 9000000", "head -c 3000"])
def test_half_a_file_says_so(none: Run, damage: str) -> None:
    ended = none(f"sh -c '{damage} /usr/local/bin/tfsetup > half; sh half --version'", TFSETUP_CACHE_DIR="/home/u/other")
    assert ended.returncode == 2, ended.stdout
    assert "error: it could not be unpacked" in ended.stderr
    assert not list((KEPT / "bullseye/home/u/other/standalone").iterdir())


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("tfsetup detect", 0),
        ("tfsetup profiles", 0),
        ("tfsetup plan --json", {0, 12}),
        ("tfsetup status", 0),
        ("tfsetup explain protobuf-incompatible", 0),
        ("tfsetup schema plan", 0),
        ("tfsetup doctor", 2),
        ("tfsetup help plan", 0),
    ],
)
def test_without_a_python(none: Run, line: str, code: int | set[int]) -> None:
    ended = none(line)
    assert ended.returncode in (code if isinstance(code, set) else {code}), ended.stderr
    assert "Traceback" not in ended.stderr
    assert ".cache/tfsetup/standalone" not in ended.stdout, "its own Python is nobody else's"


def test_hints_are_as_it_was_typed(none: Run) -> None:
    assert "hint: tfsetup apply" in none("tfsetup install").stderr
    assert "hint: /usr/local/bin/tfsetup apply" in none("/usr/local/bin/tfsetup install", path="/usr/bin:/bin").stderr


def test_what_starts_its_own_python_does(none: Run) -> None:
    """rattler in a child process, the bridge to conda-lock, pip-tools: all of them need a Python, which is in the file."""
    python = "/home/u/.cache/tfsetup/standalone/*/bin/python3"
    ended = none(f"sh -c '{python} -c \"import rattler, conda_lock, piptools, uv; print(uv.find_uv_bin())\"'")
    assert ended.stdout.rstrip().endswith("/bin/uv"), ended.stderr


def test_a_broken_python_is_left_out(only_old: Run) -> None:
    ended = only_old("tfsetup detect --json", path="/opt/broken:/usr/local/bin:/usr/bin:/bin")
    assert ended.returncode == 0, ended.stderr
    assert "/opt/broken/python3 was left out" in json.loads(ended.stdout)["interpreters"]["why"]


def test_from_nothing_but_python_3_6_to_verified(only_old: Run) -> None:
    cache = {"UV_CACHE_DIR": "/home/u/uv", "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    ended = only_old("tfsetup apply --python 3.6 --cpu --yes --env tf-env", path=f"{OLD}/bin:/usr/local/bin:/usr/bin:/bin", **cache)
    assert ended.returncode == 0, ended.stderr
    assert "Verified: TensorFlow 2.6" in ended.stderr + ended.stdout
    assert only_old("tfsetup doctor --env tf-env").returncode == 0
    assert only_old("tfsetup undo --env tf-env --yes").returncode == 0


if os.geteuid() != 0:
    pytest.skip("chroot needs root", allow_module_level=True)
