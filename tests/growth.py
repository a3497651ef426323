"""How the work for a text grows with its size: measured against itself, never against a clock that a busy machine would make slow."""

from __future__ import annotations

import time
from collections.abc import Callable

# A text so many times as long may cost so many times as much: linear is 8, quadratic 64.
FACTOR, MOST = 8, 28
# What costs less says nothing.
FLOOR_SECONDS = 0.02


def too_fast(work: Callable[[int], object], size: int) -> str:
    """Return what shows that the work for ``size`` grows faster than the size; "" where it does not.

    ``work`` is called with an eighth of ``size`` and with ``size``. What looks too much is looked at again, the least of some: something
    else may have run.
    """
    said = ""
    for times in (1, 3, 5):
        small, large = (min(_seconds(work, of) for _ in range(times)) for of in (size // FACTOR, size))
        if large < max(small * MOST, FLOOR_SECONDS):
            return ""
        said = f"{small:.4f} s of the processor for {size // FACTOR}, {large:.4f} for {size}"
    return said


def _seconds(work: Callable[[int], object], size: int) -> float:
    start = time.process_time()
    work(size)
    return time.process_time() - start
