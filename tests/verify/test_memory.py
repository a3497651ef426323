"""What ``doctor`` and ``verify`` keep in memory of an environment's files: little, however many there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.verify.support import SITE, install, make_env

pytestmark = pytest.mark.slow

FEW, MANY = 1_000, 40_000
# 300,000 files may take 100 MB, of which the tool itself takes 32. A text for each path alone takes 200 bytes, and a listing of a folder 70.
BYTES_A_FILE = 100
# What the tool holds of a record at a time, in text and in rows.
AT_ONCE = 4 << 20
# Runs a command in a process that is small itself: what a process has used at most counts in the child that it becomes, too.
PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak(*argv: str) -> tuple[int, int]:
    """Exit code, and the most memory (bytes) that the program or one of its children had."""
    done = subprocess.run([sys.executable, "-c", PEAK, *argv], capture_output=True, text=True, check=True)
    code, size = done.stdout.split()
    return int(code), int(size)


def in_folders(count: int) -> Iterator[str]:
    return (f"many/part_{number // 500:04d}/module_number_{number % 500:04d}.py" for number in range(count))


def in_tensorflow(count: int) -> Iterator[str]:
    return (path.replace("many/", "tensorflow/") for path in in_folders(count))


def beside_each_other(count: int) -> Iterator[str]:
    return (f"module_with_a_rather_long_name_{number:06d}.py" for number in range(count))


def fill(env: Path, paths: Iterator[str]) -> None:
    """Install one distribution whose files are all the same one: links to it are as many files, and quickly made."""
    names = list(paths)
    site = env / SITE
    info = install(env, "many", "1.0", {names[0]: "x = 1\n"})
    row = next(line for line in (info / "RECORD").read_text().splitlines() if line.startswith(names[0])).removeprefix(names[0])
    with (info / "RECORD").open("a") as record:
        for name in names[1:]:
            record.write(f"{name}{row}\n")
    for folder in {os.path.dirname(site / name) for name in names}:
        os.makedirs(folder, exist_ok=True)
    for number, name in enumerate(names[1:], 1):
        # A file may have 65,000 names on ext4, and 32,000 elsewhere.
        if number % 10_000 == 0:
            (site / name).write_text("x = 1\n")
            names[0] = name
        else:
            os.link(site / names[0], site / name)


@pytest.mark.parametrize("shape", [in_folders, in_tensorflow, beside_each_other])
def test_no_file_of_many_is_kept(tmp_path: Path, shape: Callable[[int], Iterator[str]]) -> None:
    few, many = (make_env(tmp_path / name) for name in ("few", "many"))
    fill(few, shape(FEW))
    fill(many, shape(MANY))
    for command in (("doctor", "--no-import"), ("verify",)):
        argv = (sys.executable, "-m", "provisioner", *command, "--env")
        (code, floor), (same, size) = (peak(*argv, str(env)) for env in (few, many))
        assert code == same, command
        assert size - floor < AT_ONCE + (MANY - FEW) * BYTES_A_FILE, (command, floor, size)
