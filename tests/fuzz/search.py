"""One harness under atheris, in a process of its own: ``python -m tests.fuzz.search NAME [libFuzzer's options and folders]``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["provisioner"], enable_loader_override=False):
    from tests.fuzz.harnesses import HARNESSES

if __name__ == "__main__":
    own = HARNESSES[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], own)
    atheris.Fuzz()
