"""Two packages that would write one file are refused when planning, with both names."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import UsageError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import LockedFile
from provisioner.plan import writers

CACHE: dict[str, dict[str, str]] = {
    "nvidia_nccl_cu12-2.25": {
        "nvidia/__init__.py": "same",
        "nvidia/nccl/lib/libnccl.so.2": "twelve",
        "nvidia/nccl/include/nccl.h": "twelve",
    },
    "nvidia_nccl_cu13-2.27": {
        "nvidia/__init__.py": "same",
        "nvidia/nccl/lib/libnccl.so.2": "thirteen",
        "nvidia/nccl/include/nccl.h": "thirteen",
    },
    "one-1.0": {"one.py": "1", "tests/__init__.py": "1", "LICENSE": "1"},
    "other-1.0": {"other.py": "2", "tests/__init__.py": "2", "LICENSE": "2"},
}


@pytest.fixture
def cache(tmp_path: Path) -> str:
    for number, (stem, files) in enumerate(CACHE.items()):
        info = tmp_path / "archive-v0" / str(number) / f"{stem}.dist-info"
        info.mkdir(parents=True)
        rows = [f"{path},sha256={digest},1" for path, digest in files.items()]
        (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/METADATA,sha256={stem},1", f"{info.name}/RECORD,,"]) + "\n")
    return str(tmp_path)


def wheel(name: str, version: str) -> LockedFile:
    return LockedFile(name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256="0" * 64, size=1, unpacked=1)


NCCL = (wheel("nvidia-nccl-cu12", "2.25"), wheel("nvidia-nccl-cu13", "2.27"))


def test_both_names_are_told(cache: str) -> None:
    with pytest.raises(UsageError) as caught:
        writers.check(LocalHost(), cache, NCCL, {"nvidia-nccl-cu13"})
    assert "nvidia-nccl-cu12 and nvidia-nccl-cu13 both write nvidia/nccl/lib/libnccl.so.2, nvidia/nccl/include/nccl.h" in str(caught.value)


@pytest.mark.parametrize(
    ("wheels", "added"),
    [
        (NCCL, set()),  # a set that was run as it is
        (NCCL[:1], {"nvidia-nccl-cu12"}),
        ((wheel("one", "1.0"), wheel("other", "1.0")), {"one", "other"}),  # what nothing imports
        (
            (wheel("nvidia-nccl-cu12", "2.25"), wheel("nvidia-nccl-cu13", "9.9")),
            {"nvidia-nccl-cu13"},
        ),  # not in the cache: the proof will tell
    ],
)
def test_what_does_no_harm_is_not_refused(cache: str, wheels: tuple[LockedFile, ...], added: set[str]) -> None:
    writers.check(LocalHost(), cache, wheels, added)
