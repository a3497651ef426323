"""What is told of a clash, with real uv and a real index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.engines.resolving import Job
from provisioner.host.local import LocalHost
from provisioner.lock.clash import Clash, explain
from provisioner.model.team import Index as TeamIndex
from provisioner.model.team import Target
from tests.lock.index import CUTOFF, Index
from tests.support import make_lock

TARGET = Target(name="linux", platform="linux-x86_64", device="cpu", python="3.11")


def told(index: Index, tmp_path: Path, *requirements: str, tried: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str]:
    """Return the rows and the hint where the requirements clash with a set that there is for Python 3.10, too."""
    lock = replace(make_lock(index.add("tensorflow-cpu", "2.20.0", "numpy<2"), index.add("numpy", "1.26")), release="2.20.0", python="3.11")
    index.add("numpy", "2.0")
    folder = tmp_path / "job"
    folder.mkdir()
    job = Job(
        name="linux",
        requirements=("tensorflow-cpu==2.20.0", "numpy", *requirements),
        constraints=(),
        python="3.11",
        platform="linux-x86_64",
        floor="2.28",
        cutoff=CUTOFF,
        folder=str(folder),
        preferred=("tensorflow-cpu==2.20.0", "numpy==1.26"),
        indexes=(TeamIndex(url=index.url),),
    )
    others = (replace(lock, python="3.10"),)
    error = explain(
        Clash(
            host=LocalHost(),
            target=TARGET,
            lock=lock,
            requirements=requirements,
            job=job,
            said="the resolver's words",
            others=others,
            tried=tried,
        )
    )
    return tuple(error.faults), error.hint


def test_a_row_says_by_whose_metadata_it_clashes(index: Index, tmp_path: Path) -> None:
    rows, hint = told(index, tmp_path, "numpy==2.0")
    assert rows == ("numpy==2.0: 1.26 would do; TensorFlow 2.20.0 needs numpy<2",)
    assert "write `numpy==1.26`" in hint
    assert "python:" not in hint


@pytest.mark.parametrize("tried", [(), ("2.19.0",)])
def test_a_release_that_was_tried_is_not_proposed(index: Index, tmp_path: Path, tried: tuple[str, ...]) -> None:
    """magenta's list: NumPy 1.15 brings TensorFlow 2.7, beside which it did not go, either."""
    index.add("tensorflow-cpu", "2.19.0")
    rows, hint = told(index, tmp_path, "numpy==2.0", tried=tried)
    assert rows == ("numpy==2.0: 1.26 would do; TensorFlow 2.20.0 needs numpy<2",)
    assert ("or take TensorFlow 2.19.0" in hint) == (not tried)


def test_another_python_is_proposed_with_which_less_clashes(index: Index, tmp_path: Path) -> None:
    """deepface's list: NumPy 1.22.3 has no wheel for 3.11, and psycopg clashes on every Python."""
    index.add("old", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    index.add("old", "2.0")
    rows, hint = told(index, tmp_path, "numpy==2.0", "old==1.0")
    assert [row.partition(":")[0] for row in rows] == ["numpy==2.0", "old==1.0"]
    assert 'take `python: "3.10"` for linux, with which only `numpy==2.0` clashes' in hint


def test_another_python_is_proposed_with_which_all_goes(index: Index, tmp_path: Path) -> None:
    index.add("old", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    index.add("old", "2.0")
    _, hint = told(index, tmp_path, "old==1.0")
    assert 'take `python: "3.10"` for linux, with which yours go as they are' in hint


def test_what_has_wheels_alone_is_no_source_in_the_next_question(index: Index, tmp_path: Path) -> None:
    """tensorflow-federated's list: jaxlib has no source, and where it was taken for source once, each row after it clashed, too."""
    index.add("ours", "2.0")
    index.add("ours", "1.0")
    index.add("numpy", "1.25")
    index.add("jaxlib", "0.5", "ours<2")
    index.add("jaxlib", "0.6", tag="cp35-cp35m-manylinux_2_17_x86_64")
    rows, _ = told(index, tmp_path, "jaxlib>=0.5", "ours==2.0", "numpy<1.26")
    assert [row.partition(";")[0] for row in rows] == ["ours==2.0: 1.0 would do"]
    assert "needs ours<2" in rows[0]


def test_what_is_source_alone_is_not_what_cannot_be_had(index: Index, tmp_path: Path) -> None:
    """recommenders' list: annoy has source, and was named in the place of scann, which has wheels for newer machines alone."""
    index.add_source("old", "1.0", "raise SystemExit\n")
    index.add("new", "1.0", tag="py3-none-manylinux_2_34_x86_64")
    _, hint = told(index, tmp_path, "old", "new")
    assert 'take `floor: "2.34"` for it' in hint
    assert "old" not in hint.partition("the resolver says")[2].partition("hint")[0]
