"""An index that only a list names: asked about once at a terminal, written into tfsetup.yaml, refused with the way on where nobody can be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.catalogue.yaml_text import parse_yaml
from tests.cli.support import Ended, Inside, Tool
from tests.cli.terminal import answering
from tests.lock.conftest import index
from tests.lock.index import Index
from tests.lock.test_command import inside, project

__all__ = ["index", "inside", "project"]
WHICH = b"and from nowhere else? ["


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Index]:
    """An index that nobody but the list names, with a package of the team's and a stranger's of a name that PyPI has, too."""
    found = Index(tmp_path / "second")
    found.add("ours", "1.0", "pandas")
    found.add("pandas", "99.0")
    yield found
    found.close()


@pytest.fixture
def listing(project: Path, second: Index) -> Path:
    path = project / "requirements.txt"
    path.write_text(f"--extra-index-url {second.url}\nours\n")
    declaration = project / "tfsetup.yaml"
    declaration.write_text(declaration.read_text().replace("requirements: [pandas]", "files: [requirements.txt]"))
    return project


def typed(project: Path, *answers: bytes, args: tuple[str, ...] = ("lock", "--cutoff", "2026-06-01")) -> tuple[Ended, int]:
    return answering(Tool(project, dict(os.environ)), answers, *args, question=WHICH)


@pytest.mark.slow
def test_the_answer_is_written_and_locked(listing: Path, second: Index) -> None:
    list_before = (listing / "requirements.txt").read_text()
    ended, asked = typed(listing, b"ours\n")
    assert (ended.code, asked) == (0, 1), ended.err
    assert "requirements.txt:1: `--extra-index-url" in ended.err
    data = parse_yaml((listing / "tfsetup.yaml").read_text(), file="")
    assert data["indexes"][1:] == [{"url": second.url, "packages": ["ours"]}]
    assert "# asked on " in (listing / "tfsetup.yaml").read_text()
    assert (listing / "requirements.txt").read_text() == list_before
    (locked,) = json.loads((listing / "tfsetup.lock.json").read_text())["targets"]
    assert {item["name"]: item["version"] for item in locked["files"]}.items() >= {"ours": "1.0", "pandas": "2.0"}.items()
    assert {path for path in second.seen if "/simple/" in path} == {"/simple/ours/"}
    again, asked = typed(listing)
    assert (again.code, asked) == (0, 0)
    assert "Nothing has changed" in again.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "code", "told"),
    [
        ((b"our\n", b"ours, pandas2!\n", b"ours\n"), 0, "no list asks for our: did you mean ours?"),
        ((b"ourss\n", b"ourss\n"), 1, "no list asks for ourss: did you mean ours?"),
        ((b"\n",), 2, "write `indexes: [{url: "),
        ((b"no\n",), 2, "write `indexes: [{url: "),
        ((b"\x04",), 2, "write `indexes: [{url: "),
        ((b"x!\n", b"x!\n", b"x!\n"), 2, "no name of a package"),
    ],
)
def test_slips_are_asked_again_and_a_no_is_the_refusal(listing: Path, answers: tuple[bytes, ...], code: int, told: str) -> None:
    before = (listing / "tfsetup.yaml").read_text()
    ended, asked = typed(listing, *answers)
    said = " ".join(ended.err.split())
    assert (ended.code, asked, told in said) == (code, len(answers), True), ended.err
    assert ((listing / "tfsetup.yaml").read_text() == before) == (code == 2)


def test_where_nobody_can_be_asked_the_line_is_refused(inside: Inside, listing: Path, second: Index) -> None:
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 2
    assert f"write `indexes: [{{url: '{second.url}', packages: [NAME]}}]` with the packages" in ended.err
    assert "--accept" not in ended.err
    assert inside("lock", "--accept", "--yes").code == 2
    assert second.seen == []


def test_pytorch_s_packages_are_proposed(inside: Inside, listing: Path) -> None:
    file = listing / "tfsetup.yaml"
    before = file.read_text()
    (listing / "requirements.txt").write_text("--extra-index-url https://download.pytorch.org/whl/cu121\ntorchvision\npandas\n")
    refused = inside("lock")
    assert refused.code == 2
    assert "hint: `tfsetup lock --accept` writes that into tfsetup.yaml" in refused.err
    shown = inside("lock", "--accept")
    assert (shown.code, "packages: [torch, torchvision]" in shown.err) == (15, True), shown.err
    assert file.read_text() == before
    accepted = inside("lock", "--accept", "--yes")
    # The address is a stranger's for this person still.
    assert (accepted.code, "--trust" in accepted.err) == (15, True), accepted.err
    data = parse_yaml(file.read_text(), file="")
    assert data["indexes"][1:] == [{"url": "https://download.pytorch.org/whl/cu121", "packages": ["torch", "torchvision"]}]
    assert "# lock --accept, " in file.read_text()
    assert "requirements.txt:1 names it" in file.read_text()


def test_what_a_list_says_itself_is_not_asked(inside: Inside, listing: Path, second: Index) -> None:
    (listing / "tfsetup.yaml").unlink()
    (listing / "requirements.txt").unlink()
    (listing / "Pipfile").write_text(
        f"[[source]]\nurl = '{second.url}'\nname = 'a'\n[[source]]\nurl = '{second.url}2'\nname = 'b'\n"
        "[packages]\nours = {version = '*', index = 'a'}\nmore = {version = '*', index = 'b'}\n"
    )
    ended = inside("init", "--offline", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["indexes"] == [
        {"name": "", "packages": ["ours"], "url": second.url},
        {"name": "", "packages": ["more"], "url": f"{second.url}2"},
    ]
    assert ended.json["notes"] == [f"Pipfile: source[0]: ours from {second.url}", f"Pipfile: source[1]: more from {second.url}2"]
    assert ended.json["warnings"] == []


@pytest.mark.slow
def test_init_asks_too(listing: Path, second: Index) -> None:
    (listing / "tfsetup.yaml").unlink()
    ended, asked = typed(listing, b"ours\n", args=("init", "--offline"))
    assert (ended.code, asked) == (0, 1), ended.err
    assert parse_yaml((listing / "tfsetup.yaml").read_text(), file="")["indexes"] == [{"url": second.url, "packages": ["ours"]}]
    assert "second index" not in ended.err
    (listing / "tfsetup.yaml").unlink()
    ended, asked = typed(listing, b"none\n", args=("init", "--offline"))
    assert (ended.code, asked) == (0, 1), ended.err
    assert "indexes" not in parse_yaml((listing / "tfsetup.yaml").read_text(), file="")
    assert "requirements.txt:1: `--extra-index-url" in ended.err
    assert "names a second index" in " ".join(ended.err.split())
