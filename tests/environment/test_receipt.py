"""The receipt: what was done, readable afterwards; one that cannot be read is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.environment import receipt
from provisioner.host.local import LocalHost
from tests.support import make_lock, make_plan, make_wheel, verification

HOST = LocalHost()


def make(tmp_path: Path) -> receipt.Receipt:
    plan = make_plan(HOST, tmp_path / "env", make_lock(make_wheel(tmp_path, "tensorflow", "2.0", {"tensorflow/__init__.py": ""})))
    return receipt.Receipt(tool="t", started="a", finished="b", plan=plan, verification=verification("/e", passed=True))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = make(tmp_path)
    (tmp_path / "receipt.json").write_text(receipt.text(made))
    assert receipt.read(HOST, str(tmp_path / "receipt.json")) == made


@pytest.mark.parametrize("text", ["", "{}", "[", "9" * 5000, '{"schema": "tfsetup/receipt/2"}'])
def test_one_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "receipt.json").write_text(text)
    assert receipt.read(HOST, str(tmp_path / "receipt.json")) is None


def test_nothing_a_folder_and_a_pipe_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", ".", "pipe"):
        assert receipt.read(HOST, str(tmp_path / name)) is None
