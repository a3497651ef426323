"""A megabyte of anything for a reader, and what it cost: CPU time, and memory at most. ``python -m tests.fuzz.large`` prints the worst of 256 KiB."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.registry import Harness

MEGABYTE = 1 << 20
# What is repeated by itself, between what a seed begins and ends with, and inside of its first text and its last line.
UNITS = (b"a", b"9", b"[", b'"', b"\\", b" ", b"\n", b"- a\n", b"a: b\n", b"[a]\n", b"[],", b'{"a":', b"1.", b"../", b"https://a:b@c/ ")


def cases(seeds: list[bytes], size: int) -> Iterator[bytes]:
    """Each about ``size`` bytes long."""
    for unit in UNITS:
        yield unit * (size // len(unit))
    for seed in seeds:
        if not seed:
            continue
        yield seed * (size // len(seed))
        lines = seed.splitlines(keepends=True)
        # A file of one valid line many times over, and one whose middle is.
        yield lines[-1] * (size // len(lines[-1]))
        middle = lines[len(lines) // 2]
        yield b"".join(lines[: len(lines) // 2]) + middle * (size // len(middle)) + b"".join(lines[len(lines) // 2 :])
        text = re.search(rb"\w\w", seed)
        place = text.start() + 1 if text else 0
        for unit in (b"a", b"9", b","):
            yield seed[:place] + unit * (size // len(unit)) + seed[place:]


def cost(harness: Harness, data: bytes) -> tuple[float, int]:
    """CPU seconds and bytes of memory that a reader takes for ``data``, in a process of its own; raises what it raises."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            before = _memory("VmRSS")
            start = time.process_time()
            harness(data)
            os.write(writing, f"{time.process_time() - start} {_memory('VmHWM') - before}".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        answer = told.read().split()
    if status or not answer:
        raise AssertionError(f"{harness.name} ended with status {status}")
    return float(answer[0]), int(answer[1])


def _memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found
    return int(found[1]) * 1024


def worst(harness: Harness, seeds: list[bytes], size: int = MEGABYTE) -> tuple[tuple[float, bytes], tuple[int, bytes]]:
    """The most time and the most memory, each with what it was for."""
    slowest, largest = (0.0, b""), (0, b"")
    for data in cases(seeds, size):
        seconds, memory = cost(harness, data)
        slowest, largest = max(slowest, (seconds, data)), max(largest, (memory, data))
    return slowest, largest


if __name__ == "__main__":
    from tests.fuzz.__main__ import CORPUS
    from tests.fuzz.harnesses import HARNESSES

    for name in sys.argv[1:] or HARNESSES:
        few = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())][:1]
        (seconds, slow), (memory, large) = worst(HARNESSES[name], few, MEGABYTE // 4)
        sys.stdout.write(f"{name:28} {seconds:6.2f} s {slow[:40]!r} {memory >> 20:5} MB {large[:40]!r}\n")
