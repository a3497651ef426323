"""A Dockerfile that runs ``apply`` in one layer and ``fix`` in the next, with real TensorFlow; the layers are overlay mounts, as an engine makes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layers import Layers, layers
from tests.real.test_apply import distributions, tfsetup

pytestmark = [pytest.mark.real, pytest.mark.slow]

# Small, as TensorFlow goes (0.7 GB): each layer holds it once more.
OPTIONS = ["--python", "3.8", "--device", "cpu"]
SITE = "lib/python3.8/site-packages"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Layers]:
    with layers(tmp_path / "disk", memory=False) as made:
        yield made
    shutil.rmtree(tmp_path / "disk")


def fingerprint(root: Path) -> dict[str, tuple[object, ...]]:
    """Path, kind, mode, target of a link and SHA-256 of everything but the tool's own and byte code, which any start of Python writes."""
    found: dict[str, tuple[object, ...]] = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if ".tfsetup" in name or "__pycache__" in name:
            continue
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        else:
            found[name] = (mode, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
    return found


def test_apply_in_one_layer_fix_in_the_next_undo_and_another_release(stack: Layers) -> None:
    env = stack.top / "env"
    tfsetup("apply", "--tensorflow", "2.4.4", *OPTIONS, "--env", str(env), "--yes")
    stack.commit()
    ops = env / SITE / "tensorflow" / "python" / "framework" / "ops.py"
    ops.write_text(ops.read_text()[:1000])
    (env / SITE / "tensorflow" / "python" / "keras" / "losses.py").unlink()
    broken = fingerprint(env)
    tfsetup("fix", "--env", str(env), "--yes")
    assert fingerprint(env) != broken
    stack.commit()
    tfsetup("verify", "--env", str(env))
    tfsetup("undo", "--env", str(env), "--yes")
    assert fingerprint(env) == broken
    stack.drop()
    # The first layer again, and another release on it.
    whole = fingerprint(env)
    tfsetup("apply", "--tensorflow", "2.3.4", *OPTIONS, "--env", str(env), "--yes")
    assert distributions(env)["tensorflow-cpu"] == "2.3.4"
    tfsetup("undo", "--env", str(env), "--yes")
    assert fingerprint(env) == whole
    assert distributions(env)["tensorflow-cpu"] == "2.4.4"
