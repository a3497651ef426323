"""Who has recorded which file: the rows of a RECORD as each system has them."""

from __future__ import annotations

import pytest

from provisioner.environment.owners import read_rows
from tests.facts.fake_reader import FakeReader

INFO = "C:/e/Lib/site-packages/pip-26.0.dist-info"


@pytest.mark.parametrize(("platform", "path"), [("win32", "pip/_internal/cli/main.py"), ("linux", "pip\\_internal\\cli\\main.py")])
def test_on_windows_a_backslash_parts_folders(platform: str, path: str) -> None:
    """virtualenv writes pip's RECORD so; elsewhere it is a sign of a name."""
    reader = FakeReader({f"{INFO}/RECORD": "pip\\_internal\\cli\\main.py,,\nb.py,sha256=x,1\n"}, platform=platform)
    assert [row.path for row in read_rows(reader, INFO) or ()] == [path, "b.py"]
