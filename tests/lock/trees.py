"""Source trees with a build back end of their own, so that no index is needed to build them, and repositories of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "ours"\nbackend-path = ["."]\n'
PROJECT = '[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {needs}\n'
# All that PEP 517 and PEP 660 ask of a back end; it leaves a mark each time that it is run.
BACK_END = """
import os
import zipfile

METADATA = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{needs}"


def _mark(what):
    with open({mark!r}, "a") as file:
        file.write(what + "\\n")


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    _mark("metadata")
    os.mkdir(os.path.join(folder, "{name}-{version}.dist-info"))
    with open(os.path.join(folder, "{name}-{version}.dist-info", "METADATA"), "w") as file:
        file.write(METADATA)
    return "{name}-{version}.dist-info"


def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _build(folder, "{name}.py", "PLACE = __file__\\n")


def build_editable(folder, config_settings=None, metadata_directory=None):
    return _build(folder, "{name}.pth", os.getcwd() + "\\n")


def _build(folder, path, text):
    _mark("wheel")
    name = "{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr(path, text)
        archive.writestr("{name}-{version}.dist-info/METADATA", METADATA)
        archive.writestr("{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("{name}-{version}.dist-info/RECORD", "")
    return name
"""


def tree(folder: Path, name: str, version: str, *needs: str, static: bool = False) -> Path:
    """Write a tree, and return the file that says how often its code was run; ``static``: its pyproject.toml says its metadata, too."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder.parent / f"{folder.name}-was-run"
    listed = PROJECT.format(name=name, version=version, needs=list(needs)) if static else ""
    (folder / "pyproject.toml").write_text(PYPROJECT + listed)
    required = "".join(f"Requires-Dist: {text}\\n" for text in needs)
    (folder / "ours.py").write_text(BACK_END.format(name=name, version=version, needs=required, mark=str(mark)))
    (folder / f"{name}.py").write_text("PLACE = __file__\n")
    return mark


def commit(folder: Path) -> str:
    """Commit all of a folder to its repository, which is made, and return the commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "--quiet", "--initial-branch", "main"], ["add", "--all"], ["commit", "--quiet", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
