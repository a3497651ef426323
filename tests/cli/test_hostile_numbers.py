"""What lies beside an environment may hold any number and any letter: each command answers in words (F3, F4, F6 to F9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Inside

BAD = {
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5000,
    "infinite": "1e999",
    "deep": "[" * 50_000,
    "half a letter": '"\\ud800"',
    "a text": '"x"',
}
COMMANDS = (("verify",), ("doctor", "--no-import"), ("undo", "--yes"), ("fix", "--yes", "--offline"))
RECEIPT = (
    '{"schema": "tfsetup/receipt/1", "tool": "1", "started": %s, "finished": "", "plan": {"steps": [{"size": %s}]}, "verification": {}}'
)
RECORD = (
    '{"name": "numpy", "version": "1.26.4", "build": "py311_0", "size": %s, "timestamp": %s, "depends": [%s], "url": %s, "files": [%s]}'
)
JOURNAL = '{"schema": "tfsetup/journal/1", "number": %s, "seal": %s, "started": "", "phase": "moved", "before": "venv"}'


@pytest.fixture
def env(work: Path) -> Path:
    made = work / "e"
    (made / "lib/python3.11/site-packages/tensorflow-2.15.0.dist-info").mkdir(parents=True)
    (made / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.4\n")
    (made / "lib/python3.11/site-packages/tensorflow-2.15.0.dist-info/METADATA").write_text("Name: tensorflow\nVersion: 2.15.0\n")
    return made


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("place", ["receipt", "journal", "undo", "record", "metadata", "RECORD"])
def test_every_command_answers(case: str, place: str, env: Path, inside: Inside) -> None:
    bad = BAD[case]
    info = "lib/python3.11/site-packages/tensorflow-2.15.0.dist-info"
    path, text = {
        "receipt": (".tfsetup/receipt.json", RECEIPT % (bad, bad)),
        "journal": (".tfsetup/journal.json", JOURNAL % (bad, bad)),
        "undo": (".tfsetup/undo/1/record.json", JOURNAL % (bad, bad)),
        "record": ("conda-meta/numpy-1.26.4-py311_0.json", RECORD % (bad, bad, bad, bad, bad)),
        "metadata": (f"{info}/METADATA", f"Name: tensorflow\nVersion: {bad}\nRequires-Dist: numpy<{bad}\nRequires-Python: >={bad}\n"),
        "RECORD": (f"{info}/RECORD", f"tensorflow/__init__.py,sha256={bad},{bad}\n"),
    }[place]
    (env / path).parent.mkdir(parents=True, exist_ok=True)
    (env / path).write_text(text)
    for command in COMMANDS:
        done = inside(*command, "--env", str(env))
        assert "a bug in tfsetup" not in done.err + done.out, command
        assert done.code in {0, 1, 2, 10, 11, 12, 13, 14, 15, 16}, command
