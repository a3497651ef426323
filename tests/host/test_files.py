"""Files read piece by piece: the same lines as of the whole text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.host import files
from tests.facts.fake_reader import FakeReader

PATH = "/record"


@given(st.lists(st.sampled_from(["a", "bcd", "\n", "\r\n", "ü", "\udcff"])).map("".join))
def test_the_pieces_are_the_text(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "PIECE", 3)
        blocks = list(files.blocks(FakeReader({PATH: data}), PATH, 1 << 20) or ())
    assert "".join(blocks) == data.decode("utf-8", "surrogateescape")
    assert all(block.endswith("\n") for block in blocks[:-1])


def test_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 4)
    assert "".join(files.blocks(FakeReader({PATH: "a\nb\nc\nd\n"}), PATH, 5) or ()) == "a\nb\nc"


def test_of_an_endless_line_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 10)
    monkeypatch.setattr(files, "LINE", 15)
    blocks = list(files.blocks(FakeReader({PATH: "a" * 1000 + "\nnext\n"}), PATH, 1 << 20) or ())
    assert "".join(blocks).splitlines()[-1] == "next"
    assert sum(map(len, blocks)) <= 15 + 10 + len("\nnext\n")


@pytest.mark.parametrize("content", [PermissionError("no"), None])
def test_what_cannot_be_read_is_none(content: Exception | None) -> None:
    assert files.blocks(FakeReader({PATH: content}), PATH, 1 << 20) is None


def test_an_error_on_the_way_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 4)
    reader = FakeReader({PATH: "a\nb\nc\nd\n"})
    blocks = files.blocks(reader, PATH, 1 << 20)
    reader.files[PATH] = OSError("gone")
    assert list(blocks or ()) == ["a\nb\n"]


def test_what_is_not_there_of_a_path() -> None:
    assert files.ground(FakeReader({"C:/a/x": ""}, platform="win32"), "C:/a/b/c") == ("C:/a", ("C:/a/b/c", "C:/a/b"))
    assert files.ground(FakeReader({"/a/x": ""}), "/a") == ("/a", ())


@pytest.mark.parametrize(("path", "root"), [("D:/a/env", "D:/"), ("D:/", "D:/"), ("//server/share/a/env", "//server/share")])
def test_a_drive_or_a_share_that_is_not_there_is_an_error_and_no_endless_search(path: str, root: str) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        files.ground(FakeReader({"C:/a/x": ""}, platform="win32"), path)
    assert missing.value.filename == root
