"""Archives of source are unpacked into their folder and nowhere else, in Pythons whose ``tarfile`` has no filters, too (Debian 12's 3.11.2)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from provisioner.engines import _sources


def archive(path: Path, *names: str) -> str:
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 2
            file.addfile(member, io.BytesIO(b"x\n"))
    return str(path)


@pytest.fixture(params=["with filters", "without"])
def _python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        pytest.importorskip("backports.tarfile", reason="every Python that this one goes with has filters")
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.usefixtures("_python")
def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    top = _sources._unpacked(archive(tmp_path / "a.tar.gz", "one-1.0/setup.py"), str(tmp_path / "tree"))
    assert (Path(top).name, (Path(top) / "setup.py").read_text()) == ("one-1.0", "x\n")


@pytest.mark.usefixtures("_python")
def test_nothing_lands_outside(tmp_path: Path) -> None:
    given = archive(tmp_path / "a.tar.gz", "one-1.0/setup.py", "../outside")
    with pytest.raises(Exception, match="outside"):
        _sources._unpacked(given, str(tmp_path / "tree"))
    assert not (tmp_path / "outside").exists()
