"""Installing with the real uv: source distributions are built with locked packages only."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.engines import uv
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import LockedFile
from provisioner.model.checkout import Checkout
from provisioner.model.plan import Package
from tests.lock.trees import commit, tree
from tests.support import make_wheel

# The whole of what uv asks of a back end (PEP 517), in place of the real setuptools.
BACK_END = """
import zipfile

class __legacy__:
    @staticmethod
    def get_requires_for_build_wheel(config_settings=None):
        return ["wheel"]

    @staticmethod
    def build_wheel(folder, config_settings=None, metadata_directory=None):
        import wheel
        name = "old_one-1.0-py3-none-any.whl"
        info = "old_one-1.0.dist-info"
        with zipfile.ZipFile(f"{folder}/{name}", "w") as archive:
            archive.writestr("old_one.py", f"BUILT_WITH = {wheel.VERSION!r}")
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: old-one\\nVersion: 1.0\\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
            archive.writestr(f"{info}/RECORD", "")
        return name
"""


def package(file: LockedFile) -> Package:
    return Package(
        name=file.name,
        version=file.version,
        filename=file.filename,
        sha256=file.sha256,
        size=file.size,
        unpacked=file.unpacked,
        source=file.source,
    )


def source(folder: Path) -> LockedFile:
    path = folder / "old-one-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("setup.py", b"raise SystemExit('not run by this back end')\n"), ("PKG-INFO", b"Name: old-one\nVersion: 1.0\n")):
            member = tarfile.TarInfo(f"old-one-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LockedFile(name="old-one", version="1.0", filename=path.name, sha256=digest, size=1, unpacked=1, source=True)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Package]]:
    """An environment, a folder with the files, and nothing else to install from."""
    files = tmp_path / "files"
    tools = [
        make_wheel(files, "setuptools", "99.0", {"setuptools/__init__.py": "", "setuptools/build_meta.py": BACK_END}),
        make_wheel(files, "wheel", "99.0", {"wheel/__init__.py": "VERSION = '99.0'\n"}),
    ]
    # A newer one that nothing has locked must not be taken.
    make_wheel(files, "wheel", "99.9", {"wheel/__init__.py": "VERSION = '99.9'\n"})
    monkeypatch.setenv("UV_FIND_LINKS", str(files))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    uv.create_environment(LocalHost(), path=str(tmp_path / "env"), python=sys.executable, prompt="env")
    return tmp_path, [package(source(files)), *(package(tool) for tool in tools)]


def install(place: Path, packages: list[Package], builders: list[Package]) -> None:
    for name, items in (("requirements", packages), ("builders", builders)):
        (place / name).write_text(uv.requirements_text(items))
    uv.install(
        LocalHost(),
        python=str(place / "env/bin/python"),
        requirements=str(place / "requirements"),
        packages=packages,
        builders=str(place / "builders"),
        offline=True,
    )


def test_a_source_distribution_is_built_with_the_packages_of_the_lock(place: tuple[Path, list[Package]]) -> None:
    folder, (old, *builders) = place
    install(folder, [old], builders)
    (built,) = folder.glob("env/lib/python*/site-packages/old_one.py")
    assert built.read_text() == "BUILT_WITH = '99.0'"


def test_another_content_than_the_locked_one_builds_nothing(place: tuple[Path, list[Package]]) -> None:
    folder, (old, setuptools, wheel) = place
    with pytest.raises(OperationError, match="could not be installed"):
        install(folder, [old], [setuptools, replace(wheel, sha256="0" * 64)])
    with pytest.raises(OperationError, match="could not be installed"):
        install(folder, [replace(old, sha256="0" * 64)], [setuptools, wheel])
    assert list(folder.glob("env/lib/python*/site-packages/old_one.py")) == []


def test_what_is_not_a_source_distribution_in_the_lock_is_not_built(place: tuple[Path, list[Package]]) -> None:
    folder, (old, *builders) = place
    with pytest.raises(OperationError, match="could not be installed"):
        install(folder, [replace(old, source=False)], builders)


def test_commits_and_projects_are_installed_from_where_they_are(place: tuple[Path, list[Package]]) -> None:
    folder, _ = place
    tree(folder / "forge", "forge", "3.1")
    tree(folder / "mine", "mine", "0.3")
    tree(folder / "other", "other", "1.0")
    found = commit(folder / "forge")
    checkouts = (
        Checkout(name="forge", url=f"file://{folder}/forge", commit=found),
        Checkout(name="mine", folder=str(folder / "mine"), editable=True),
        Checkout(name="other", folder=str(folder / "other")),
    )
    (folder / "builders").write_text("")
    uv.install_checkouts(LocalHost(), python=str(folder / "env/bin/python"), checkouts=checkouts, builders=str(folder / "builders"))
    code = "import forge, mine, other; print(*(item.PLACE for item in (forge, mine, other)), sep='\\n')"
    shown = subprocess.run([folder / "env/bin/python", "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()
    assert shown[1] == str(folder / "mine/mine.py")
    assert all("site-packages" in line for line in (shown[0], shown[2]))
    (origin,) = folder.glob("env/lib/python*/site-packages/forge-3.1.dist-info/direct_url.json")
    assert json.loads(origin.read_text())["vcs_info"]["commit_id"] == found


def test_a_project_is_built_with_nothing_that_the_lock_does_not_hold(place: tuple[Path, list[Package]]) -> None:
    folder, _ = place
    mark = tree(folder / "mine", "mine", "0.3")
    text = (folder / "mine/pyproject.toml").read_text()
    (folder / "mine/pyproject.toml").write_text(text.replace("requires = []", 'requires = ["wheel"]'))
    (folder / "builders").write_text("")
    checkouts = (Checkout(name="mine", folder=str(folder / "mine"), editable=True),)
    with pytest.raises(OperationError, match="mine could not be installed"):
        uv.install_checkouts(LocalHost(), python=str(folder / "env/bin/python"), checkouts=checkouts, builders=str(folder / "builders"))
    assert not mark.exists()
