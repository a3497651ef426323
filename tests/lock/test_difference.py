"""What changed between two locks: each change once, as text, as a document, as Markdown."""

from __future__ import annotations

from dataclasses import replace

from provisioner.lock.difference import Change, LockDiff, compare
from provisioner.model.team import InputDigest, LockedTarget, Needs, Target, TeamFile, TeamLock
from provisioner.report.diff_text import diff_markdown, diff_text


def file(name: str, version: str, **changes: object) -> TeamFile:
    return replace(
        TeamFile(name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256=f"{name}{version}"), **changes
    )


def target(name: str, *files: TeamFile, release: str = "2.19.0", driver: str = "525") -> LockedTarget:
    return LockedTarget(
        target=Target(name=name, platform="linux-x86_64", device="cuda", python="3.11"),
        release=release,
        profile=release,
        proof="resolved, never run",
        needs=Needs(platform="linux-x86_64", python="3.11", driver=driver),
        files=files,
    )


def lock(*targets: LockedTarget, cutoff: str = "2026-01-01", **changes: object) -> TeamLock:
    return replace(TeamLock(tool="0", engine="uv", cutoff=cutoff, catalogue="", inputs=(), targets=targets), **changes)


def test_equal_locks_have_no_difference() -> None:
    one = lock(target("a", file("numpy", "1")))
    assert compare(one, one).empty
    assert diff_text(compare(one, one)) == "The two locks say the same"
    assert diff_markdown(LockDiff()) == "The lock is unchanged."


def test_a_change_that_targets_share_is_told_once() -> None:
    old = lock(*(target(name, file("numpy", "1"), file("six", "1")) for name in ("a", "b", "c")))
    new = lock(*(target(name, file("numpy", "2"), file("pandas", "3", via=("x.in",))) for name in ("a", "b")), old.targets[2])
    assert compare(old, new).packages == (
        Change(name="numpy", old="1", new="2", targets=("a", "b")),
        Change(name="pandas", old="", new="3", targets=("a", "b"), why="via x.in"),
        Change(name="six", old="1", new="", targets=("a", "b")),
    )


def test_release_needs_targets_and_inputs_are_told() -> None:
    old = lock(target("a"), target("gone"), inputs=(InputDigest(name="x.in", sha256="1"),))
    new = lock(
        target("a", release="2.20.0", driver="550"), target("new"), cutoff="2026-02-01", cutoffs={"six": "2026-03-01"},
        inputs=(InputDigest(name="x.in", sha256="2"),),
    )  # fmt: skip
    text = diff_text(compare(old, new))
    for line in (
        "  + new linux-x86_64, Python 3.11, cuda",
        "  - gone linux-x86_64, Python 3.11, cuda",
        "  ~ tensorflow 2.19.0 -> 2.20.0 [a] (resolved, never run)",
        "  ~ NVIDIA driver 525 or newer -> 550 or newer [a]",
        "  ~ uploaded before 2026-01-01 -> 2026-02-01",
        "  ~ six uploaded before 2026-01-01 -> 2026-03-01",
        "  ~ x.in changed",
    ):
        assert line in text.splitlines()


def test_the_same_version_with_another_hash_is_loud() -> None:
    old, new = lock(target("a", file("numpy", "1"))), lock(target("a", file("numpy", "1", sha256="other")))
    assert "  ~ numpy 1 -> 1 [a] (ANOTHER HASH under the same file name)" in diff_text(compare(old, new)).splitlines()
    other = lock(target("a", file("numpy", "1", sha256="other", filename="numpy-1-cp311.whl")))
    assert "another file: numpy-1-cp311.whl" in diff_text(compare(old, other))


def test_a_first_lock_is_all_new() -> None:
    assert [change.name for change in compare(None, lock(target("a"), target("b"))).targets] == ["a", "b"]


def test_markdown_is_a_table_that_no_text_can_break() -> None:
    diff = LockDiff(packages=(Change(name="x", old="1|2", new="<b>", targets=("a", "b"), why="via p"),))
    assert diff_markdown(diff).splitlines() == [
        "### Packages", "", "| | old | new | targets | |", "| --- | --- | --- | --- | --- |", "| x | 1\\|2 | &lt;b> | a, b | via p |",
    ]  # fmt: skip
