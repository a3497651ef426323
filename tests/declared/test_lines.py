"""Every kind of line that a project's lists hold: what is locked of it, or why it is refused and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.declared.declaration import read_declaration
from provisioner.declared.inputs import read_inputs
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from provisioner.model.team import Inputs

CASES = sorted(Path(__file__).parent.joinpath("lists").glob("*.yaml"))
TARGETS = {"tensorflow": "2.20", "targets": [{"name": "t", "platform": "linux-x86_64", "device": "cpu", "python": "3.11"}]}


def read(case: dict[str, Any], folder: Path) -> Inputs:
    folder.mkdir()
    for name, text in case["files"].items():
        path = (folder / name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    (folder / "tfsetup.yaml").write_text(yaml.safe_dump({**TARGETS, **case["declaration"]}))
    return read_inputs(LocalHost(), read_declaration(LocalHost(), str(folder)))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_becomes_of_a_line(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    folder = tmp_path / "team"
    if "refused" in case:
        with pytest.raises(InputError) as caught:
            read(case, folder)
        assert [fault.replace(str(folder), "PROJECT") for fault in caught.value.faults] == case["refused"]
        return
    found = read(case, folder)
    texts = [text.replace(str(folder), "PROJECT").replace(str(tmp_path), "ABOVE") for text in found.requirements]
    assert texts == sorted(case.get("locks", ()))
    assert list(found.constraints) == case.get("limits", [])
    projects = [[item.name, item.version, item.folder, *(["editable"] if item.editable else [])] for item in found.projects]
    assert sorted(projects) == sorted(case.get("projects", []))
    assert {name: list(hashes) for name, hashes in found.hashes.items()} == case.get("hashes", {})
    assert [link.removeprefix(f"{folder}/") for link in found.links] == case.get("links", [])
    assert sorted(item.path for item in found.carried.values()) == case.get("carried", [])
