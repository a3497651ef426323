"""However large a text is, a reader's time and memory grow with it and no faster. ``make large``; it takes minutes, so `make test` leaves it out."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.large import cases, cost

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

SIZE = 1 << 16
# Below this the processor's time says nothing.
SECONDS = 0.03
# 200 MB for a megabyte, and room for what a reader loads when it is first called.
MEMORY = SIZE * 200 + (40 << 20)


@pytest.mark.parametrize("name", HARNESSES)
def test_the_work_grows_with_the_text(name: str) -> None:
    harness = HARNESSES[name]
    seed = next(path.read_bytes() for path in sorted((CORPUS / name).iterdir()))
    harness(seed)
    pairs = zip(cases([seed], SIZE), cases([seed], SIZE * 4), strict=True)
    # Every third shape: all of them meet some readers, and the whole takes half a minute.
    for small, large in islice(pairs, len(name) % 3, None, 3):
        seconds, _ = cost(harness, small)
        longer, memory = cost(harness, large)
        assert longer < max(seconds, SECONDS) * 4 * 3, (name, large[:60], seconds, longer)
        assert memory < 4 * MEMORY, (name, large[:60], memory)
