"""Makes a conda executable out of the real conda that conda-lock carries with it (24.7.1 in conda-lock 4.0), for programs that need one.

conda is on no package index, and no channel is reached from here. What conda-lock vendors is all of conda, its solver ("classic") too; that needs a
SAT solver (python-sat here), archspec, tqdm and conda-package-handling from PyPI, and to be called ``conda``: so it is linked under that name.
Nothing of it is replaced.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDED = ("conda_lock", "pysat", "archspec", "tqdm", "conda_package_handling")
MISSING = [name for name in NEEDED if find_spec(name) is None]
NEEDS_CONDA = pytest.mark.skipif(bool(MISSING), reason=f"without {', '.join(MISSING)} there is no conda here")

PROGRAM = """\
#!{python}
import os, sys
sys.path.insert(0, {modules!r})
os.environ.update(CONDA_SOLVER="classic", CONDA_SAT_SOLVER="pysat", CONDA_ROOT={root!r})
if __name__ == "__main__":
    from conda.cli.main import main
    sys.exit(main(*sys.argv[1:]))
"""


def executable(folder: Path) -> Path:
    """Write ``bin/conda`` below a folder, and return it."""
    spec = find_spec("conda_lock")
    assert spec is not None
    assert spec.origin is not None
    modules, program = folder / "modules", folder / "bin" / "conda"
    modules.mkdir(parents=True)
    (modules / "conda").symlink_to(Path(spec.origin).parent / "_vendor" / "conda")
    program.parent.mkdir()
    (folder / "root" / "conda-meta").mkdir(parents=True)
    (folder / "root" / "conda-meta" / "history").touch()
    program.write_text(PROGRAM.format(python=sys.executable, modules=str(modules), root=str(folder / "root")))
    program.chmod(0o755)
    return program
