"""``tfsetup lock --check`` and ``--diff`` as commands: exit codes, words, documents, git's revisions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jsonschema
import pytest

from provisioner.report.schemas import schema_of
from tests.cli.support import Inside, make_profiles
from tests.lock.index import Index
from tests.support import PYTHON

DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu}}
files: [requirements.in]
indexes:
  - url: {url}
formats: [requirements, pylock]
"""


@pytest.fixture
def inside(capsys, monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(capsys, monkeypatch)


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: Inside) -> Path:
    """A locked project in a repository of git, committed."""
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    index.add("pandas", "2.0", "numpy")
    index.add("pytz", "1.0")
    monkeypatch.setenv("TFSETUP_PROFILES", str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, url=index.url))
    (folder / "requirements.in").write_text("pandas\n")
    monkeypatch.chdir(folder)
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "Locks")
    yield folder
    monkeypatch.undo()


def git(*args: str) -> None:
    subprocess.run(["git", *args], check=True)


def test_a_fresh_lock_ends_with_0_and_a_stale_one_with_10(inside: Inside, project: Path) -> None:
    ended = inside("lock", "--check", "--json")
    assert (ended.code, ended.json["fresh"], ended.json["differences"]) == (0, True, [])
    (project / "requirements.in").write_text("# more\n\nPandas\npytz\n")
    ended = inside("lock", "--check", "--json")
    jsonschema.validate(ended.json, schema_of("lock-check"), cls=jsonschema.Draft202012Validator)
    assert (ended.code, ended.json["fresh"]) == (10, False)
    ended = inside("lock", "--check")
    assert ended.code == 10
    assert ended.out.splitlines()[1:] == ["  requirements.in: has changed since the lock was made", "Next: tfsetup lock"]


def test_comments_and_spelling_do_not_make_it_stale(inside: Inside, project: Path) -> None:
    (project / "requirements.in").write_text("# more\n\nPandas\n")
    assert inside("lock", "--check").code == 0


def test_online_says_how_many_files_are_there(inside: Inside, project: Path) -> None:
    ended = inside("lock", "--check", "--online")
    assert (ended.code, "each of its 3 files is on the index" in ended.out) == (0, True)


@pytest.mark.slow
def test_what_changed_since_the_commit(inside: Inside, project: Path) -> None:
    assert inside("lock", "--diff").out == "The two locks say the same\n"
    (project / "requirements.in").write_text("pandas\npytz\n")
    done = inside("lock")
    assert "  + pytz 1.0 [ci]" in done.out
    ended = inside("lock", "--diff")
    assert ended.code == 0
    assert "  + pytz 1.0 [ci]" in ended.out
    assert inside("lock", "--diff", "HEAD").out == ended.out
    assert "| pytz |  | 1.0 | ci |" in inside("lock", "--diff", "--markdown").out
    document = inside("lock", "--diff", "--json").json
    jsonschema.validate(document, schema_of("lock-diff"), cls=jsonschema.Draft202012Validator)
    assert [item["name"] for item in document["packages"]] == ["pytz"]


def test_what_changed_since_a_folder_or_a_file(inside: Inside, project: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    sidecar = (project / "tfsetup.lock.json").read_bytes()
    (tmp_path / "old" / "tfsetup.lock.json").write_bytes(sidecar.replace(b'"version": "2.0"', b'"version": "1.0"'))
    for old in (tmp_path / "old", tmp_path / "old" / "tfsetup.lock.json"):
        assert "  ~ pandas 1.0 -> 2.0 [ci]" in inside("lock", "--diff", str(old)).out


def test_a_revision_without_a_lock_makes_all_new(inside: Inside, project: Path) -> None:
    git("rm", "-q", "--cached", "tfsetup.lock.json")
    git("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "No lock")
    assert "  + ci linux-x86_64" in inside("lock", "--diff").out


CONTRADICTIONS = [
    (("--online",), "says nothing by itself"),
    (("--markdown",), "says nothing by itself"),
    (("--check", "--diff"), "cannot be asked for together"),
    (("--check", "--upgrade"), "cannot be asked for together"),
    (("--check", "--cutoff", "2026-01-01"), "has no effect"),
    (("--diff", "--engine", "uv"), "has no effect"),
    (("--check", "pandas"), "packages are named only to upgrade them"),
    (("--diff", "HEAD", "HEAD"), "one lock is compared with one other"),
    (("--diff", "nonsense"), "no revision of a git repository"),
    (("--diff", "--", "--output=x"), "is no revision"),
    (("--diff", "--json", "--markdown"), "cannot be asked for together"),
    (("--check", "--online", "--offline"), "cannot be asked for together"),
]


def test_options_that_contradict_each_other_are_refused(inside: Inside, project: Path) -> None:
    """One project for all of them: none changes it, and to lock costs more than to refuse."""
    for args, told in CONTRADICTIONS:
        ended = inside("lock", *args)
        assert (ended.code, told in ended.err + ended.out) == (2, True), (args, ended.err)
