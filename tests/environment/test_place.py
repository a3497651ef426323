"""Where an environment can be made."""

from __future__ import annotations

import pytest

from provisioner.environment import kernels
from provisioner.environment.place import check_place
from provisioner.errors import InputError
from provisioner.model.plan import EnvState
from tests.facts.fake_reader import FakeReader

WINDOWS = FakeReader({"C:/work/x": "", "C:/e/Scripts/python.exe": ""}, platform="win32", env={"JUPYTER_DATA_DIR": "D:/jupyter"})
WINDOWS.cwd = "C:/work"


@pytest.mark.parametrize(("path", "root"), [("D:/a/env", r"D:\\"), ("D:/env", r"D:\\"), ("//server/share/env", "//server/share")])
def test_a_drive_or_a_share_that_is_not_there_is_refused(path: str, root: str) -> None:
    with pytest.raises(InputError, match=f"this machine finds no {root}"):
        check_place(WINDOWS, EnvState(path=path, kind="absent", digest="absent"))


def test_no_kernel_is_registered_on_a_drive_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no kernel can be registered there") as refused:
        kernels.registration(WINDOWS, "C:/e", "tf", "TF")
    assert refused.value.hint == "set JUPYTER_DATA_DIR"
