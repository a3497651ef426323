"""Every command line of the pages by subject is run, in a folder as the page supposes; what changes something is only shown (``TFSETUP_DRY_RUN``)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_typed import ROOT
from tests.verify.support import fake_tensorflow, make_env

SUBJECTS = ("first-steps", "existing", "gpu", "network", "ci", "docker", "troubleshooting")
# What resolves a team's lock asks an index: tests/lock and tests/install run it.
ELSEWHERE = re.compile(r"tfsetup lock|--locked")
# 2 is a wrong command line or a file that cannot be read; 1 a failure. The others say how it is with this machine.
GOOD = {0, 10, 11, 12, 14}


def lines() -> list[tuple[str, str]]:
    found = []
    for subject in SUBJECTS:
        text = (ROOT / "docs" / f"{subject}.md").read_text(encoding="utf-8")
        for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found += [(subject, re.sub(r"\s+#.*", "", line[2:])) for line in block.splitlines() if line.startswith("$ ")]
    return found


LINES = lines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an environment whose TensorFlow can be imported and no more, a log, and a script that fails."""
    work = tmp_path_factory.mktemp("project")
    fake_tensorflow(make_env(work / "tf-env"), "def reduce_sum(x): return x\ndef ones(x): return x\n")
    (work / "train.py").write_text("raise SystemExit('ImportError: libcudnn.so.8: cannot open shared object file')\n")
    (work / "error.log").write_text("ImportError: libcudnn.so.8: cannot open shared object file: No such file or directory\n")
    (work / "bin").mkdir()
    (work / "bin" / "tfsetup").symlink_to(Path(sys.executable).parent / "tfsetup")
    (work / "bin" / "python").symlink_to(sys.executable)
    return work


@pytest.mark.parametrize(("subject", "line"), LINES, ids=[f"{subject}: {line}" for subject, line in LINES])
def test_a_line_of_a_page_runs(folder: Path, subject: str, line: str) -> None:
    if ELSEWHERE.search(line):
        pytest.skip("it asks an index")
    typed = line.replace("/media/stick", str(folder / "stick")).replace("/opt/tf", "tf-env")
    env = {"HOME": str(folder), "PATH": f"{folder}/bin:{os.environ['PATH']}", "LANG": "C.UTF-8", "TFSETUP_DRY_RUN": "1"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", typed],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (GOOD | {1} if "pytest" in line or "train.py" in line else GOOD), done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    assert not done.stderr.startswith("error:"), done.stderr


def test_each_subject_has_commands() -> None:
    assert {subject for subject, _ in LINES} == set(SUBJECTS)
