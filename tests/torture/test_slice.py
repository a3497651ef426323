"""A small slice of the torture, drawn from a fixed seed; ``make torture`` is all of it."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.torture.fingerprint import differences, fingerprint
from tests.torture.place import Ended
from tests.torture.run import BY_NAME, Torture
from tests.torture.since import since
from tests.torture.strikes import Strike, draw, parse
from tests.torture.verdict import Known, Verdict, check_words, printed_command, undated
from tests.torture.world import build


@pytest.fixture(scope="module")
def torture(tmp_path_factory: pytest.TempPathFactory) -> Torture:
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler")
    try:
        return Torture(build(tmp_path_factory.mktemp("torture")), random.Random(13))
    except subprocess.CalledProcessError:
        pytest.skip("NumPy cannot be fetched")


@pytest.mark.slow
@pytest.mark.parametrize("kill", [True, False], ids=["kills", "faults"])
def test_a_slice(torture: Torture, kill: bool) -> None:
    scenarios = [BY_NAME[name] for name in ("change", "undo")]
    for strike in torture.draw(scenarios, 4 if kill else 0, 0 if kill else 4):
        result = torture.strike(strike)
        assert not result.faults, f"{strike}: {result.faults}\n{result.story}"
        assert result.outcome != "not struck"


@pytest.mark.slow
def test_another_tensorflow_by_pip_between_apply_and_undo(torture: Torture) -> None:
    result = since(torture, "changed", "another TensorFlow", ("--keep-new", "{place}/kept"))
    assert not result.faults, f"{result.faults}\n{result.story}"


# The harness itself: what it would have to notice.


def test_a_strike_is_written_as_it_is_read() -> None:
    calls = [("python", "rename"), ("uv", "link"), ("python", "write")]
    for seed in range(40):
        strike = draw("change", calls, random.Random(seed), kill=seed % 2 == 0)
        assert strike is not None
        assert parse(str(strike)) == strike
        assert 1 <= strike.at <= 3
    assert draw("change", [], random.Random(0), kill=True) is None


def test_errors_and_signals_become_what_the_library_reads() -> None:
    assert Strike("x", "ENOSPC", 3, times=2).variables() == {
        "TORTURE_AT": "3", "TORTURE_WHO": "", "TORTURE_OPS": "", "TORTURE_ERRNO": "28", "TORTURE_TIMES": "2",
    }  # fmt: skip
    assert Strike("x", "nohup", 3, to="all", op="link").variables()["TORTURE_SIGNAL"] == "1"


def test_a_change_of_one_byte_a_mode_or_a_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")
    before = fingerprint(tmp_path)
    assert set(before) == {"a", "b"}
    (tmp_path / "a").unlink()
    (tmp_path / "a").write_text("y")
    assert [line[:2] for line in differences(before, fingerprint(tmp_path))] == ["a:"]
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "b").unlink()
    (tmp_path / "b").symlink_to("c")
    assert len(differences(before, fingerprint(tmp_path))) == 2


KNOWN = Known(
    env="env",
    old={"env": "folder 755", "env/a": "file 644 1"},
    new={"env": "folder 755", "env/a": "file 644 2", "env/.tfsetup/receipt.json": "file 644 3"},
)


def test_old_new_and_locks_are_told_apart() -> None:
    assert KNOWN.state(dict(KNOWN.old)) == "old"
    assert KNOWN.state({**KNOWN.new, "env/.tfsetup/receipt.json": "file 644 9"}) == "new", "each run writes its own time"
    assert (
        KNOWN.state({**KNOWN.old, ".env.tfsetup-lock": "file 644 0", "env/.tfsetup": "folder 755", "env/.tfsetup/lock": "file 644 0"})
        == "old+lock"
    )
    assert KNOWN.state({**KNOWN.old, "env/.tfsetup": "folder 755", "env/.tfsetup/stage": "folder 755"}) == ""
    assert undated(KNOWN.new)["env/a"] == "file 644 2"


@pytest.mark.parametrize(
    ("words", "there", "undoing", "kept"),
    [
        ("error: no space; /e is as it was before", "old", False, True),
        ("error: no space; /e is as it was before", "new", False, False),
        ("error: no space; /e is half changed (1 of 2 moves are done)", "old", False, False),
        ("error: interrupted: the last change of /e is taken back", "new", True, True),
        ("error: interrupted: the last change of /e is taken back", "old", True, False),
        ("error: interrupted: /e is changed as asked", "new", False, True),
        ("error: interrupted", "new", False, False),
        ("error: interrupted", "old", False, True),
        ("Traceback (most recent call last):", "old", False, False),
    ],
)
def test_words_that_are_not_true_are_noticed(words: str, there: str, undoing: bool, kept: bool) -> None:
    verdict = Verdict()
    found = KNOWN.old if there == "old" else KNOWN.new
    check_words(verdict, KNOWN, Ended(("apply",), 1, "", words), found, undoing=undoing)
    assert (not verdict.faults) == kept, verdict.faults


def test_the_command_is_taken_as_it_is_printed() -> None:
    said = "Next: tfsetup apply --env '/a b'\nhint: `tfsetup undo --env '/a b'` goes on"
    assert printed_command(Ended((), 1, "", said), ()) == ("undo", "--env", "/a b")
    assert printed_command(Ended((), 1, "", "hint: run the same command again"), ("fix",)) == ("fix",)
    assert printed_command(Ended((), 1, "", "no"), ("fix",)) is None
