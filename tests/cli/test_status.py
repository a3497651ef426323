"""``status`` and ``list`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.made import good_environment
from tests.cli.support import Inside
from tests.cli.test_documents import check


def test_status_and_list_tell_the_same_in_two_lengths(
    inside: Inside, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inside("status", **tiny).out == inside("list", **tiny).out
    good_environment(shared, work / "tf-env", monkeypatch)
    full, short = inside("status", **tiny), inside("list", **tiny)
    assert (full.code, full.err, short.code, short.err) == (0, "", 0, "")
    assert full.out.startswith(f"{work}/tf-env (in this folder)\n  TensorFlow 2.20.0 (tensorflow-cpu) on Python 3.")
    assert "\n  verified: 1 checks passed" in full.out
    assert f"`tfsetup undo --env {work}/tf-env` removes the environment" in full.out
    assert short.out.splitlines()[1].split()[:2] == [f"{work}/tf-env", "2.20.0"]
    document = check(inside, inside("status", "--env", "tf-env", "--json", **tiny), "status")
    assert document["environments"][0]["size"] > 0
    assert check(inside, inside("list", "--json", **tiny), "status")["environments"][0]["size"] == -1
    assert inside("status", "--env", "none", **tiny).code == 2
