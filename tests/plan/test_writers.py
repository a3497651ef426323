"""Two packages that would write one file are refused when planning, with both names."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from provisioner.engines import _central
from provisioner.errors import UsageError
from provisioner.host.local import LocalHost
from provisioner.plan import writers
from provisioner.plan.writers import Package

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


def packages(cache: str, *stems: str) -> list[Package]:
    """These packages as uv's cache has them; one that it has not is nobody's."""
    found = writers.unpacked(LocalHost(), cache)
    keys = [(name.replace("_", "-"), version) for name, _, version in (stem.partition("-") for stem in stems)]
    return [Package(name=name, version=version, metadata=found[name, version]) for name, version in keys]


def refused(wheels: list[Package], *added: str) -> str:
    """What is said, "" where nothing is refused."""
    try:
        writers.refuse(writers.collisions(LocalHost(), wheels, added), "--with")
    except UsageError as error:
        return str(error)
    return ""


NCCL = ("nvidia_nccl_cu12-2.25", "nvidia_nccl_cu13-2.27")
BOTH = "nvidia-nccl-cu12 and nvidia-nccl-cu13 both write nvidia/nccl/lib/libnccl.so.2, nvidia/nccl/include/nccl.h"


def test_both_names_are_told(cache: str) -> None:
    assert BOTH in refused(packages(cache, *NCCL), "nvidia-nccl-cu13")


def test_what_does_no_harm_is_not_refused(cache: str) -> None:
    assert not refused(packages(cache, *NCCL)), "a set that was run as it is"
    assert not refused(packages(cache, NCCL[0]), "nvidia-nccl-cu12")
    assert not refused(packages(cache, "one-1.0", "other-1.0"), "one", "other"), "what nothing imports"


def test_what_only_the_index_has_is_compared_by_size_and_checksum(tmp_path: Path) -> None:
    def on_index(name: str, text: bytes) -> Package:
        return writers.listed(name, "1.0", [("cv2/__init__.py", len(text), zlib.crc32(text)), (f"{name}.py", 1, 1)])

    assert "cv2/__init__.py" in refused([on_index("one", b"x"), on_index("other", b"y")], "other")
    assert "cv2/__init__.py" in refused([on_index("one", b"x"), on_index("other", b"longer")], "other")
    assert not refused([on_index("one", b"x"), on_index("other", b"x")], "other")


def test_what_lies_here_is_compared_with_what_only_the_index_has(tmp_path: Path) -> None:
    info = tmp_path / "one-1.0.dist-info"
    info.mkdir()
    (tmp_path / "shared.py").write_text("x")
    (info / "RECORD").write_text("shared.py,sha256=whatever,1\n")
    here = Package(name="one", version="1.0", metadata=str(info))
    assert "shared.py" in refused([here, writers.listed("other", "1.0", [("shared.py", 1, zlib.crc32(b"y"))])], "other")
    assert not refused([here, writers.listed("other", "1.0", [("shared.py", 1, zlib.crc32(b"x"))])], "other")
    (tmp_path / "shared.py").unlink()
    assert not refused([here, writers.listed("other", "1.0", [("shared.py", 1, 7)])], "other"), "nobody can tell"


def test_one_command_of_two_packages_is_told_by_what_it_calls(tmp_path: Path) -> None:
    """jupyterlab 4.5 and jupyter-builder: no file is common, and both make `jupyter-labextension`."""

    def made(name: str, target: str) -> Package:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "RECORD").write_text(f"../../../bin/lab,sha256={name},9\n")
        (info / "entry_points.txt").write_text(f"[console_scripts]\nlab = {target}\n")
        return Package(name=name, version="1.0", metadata=str(info))

    one = made("one", "one.app:main")
    assert "bin/lab" in refused([one, made("other", "other:main")], "other")
    assert not refused([one, made("other", "one.app : main")], "other")
    told = writers.listed("other", "1.0", _central.commands("[console_scripts]\nlab = other:main\n[other]\nx = y\n"))
    assert "bin/lab" in refused([one, told], "other")
