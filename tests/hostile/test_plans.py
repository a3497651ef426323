"""S5: a saved plan of a stranger, sealed as it should be: what a field says otherwise than is found here is neither done nor shown as true."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from provisioner.model import codec
from provisioner.model.plan import Plan
from provisioner.plan.seal import SCHEMA, seal
from tests.cli.support import Tool

EVIL = {"url": "https://evil.invalid/simple", "packages": [], "name": ""}
FORGED = {
    "proof": "run on 2026-11-20: installed and verified (13 checks) on a machine, with a GPU",
    "download": 1,
    "disk": 1,
    "outside": [],
    "steps": [],
    "machine": "a machine that you know",
    "catalogue": "0" * 64,
    "unchanged": {"six": "1.0"},
    "choice.reasons": ["everybody takes it"],
    "choice.warnings": ["nothing to worry about"],
    "packages.0.size": 1,
    "packages.0.filename": "six-2.0-py2-none-any.whl",
    "request.extra": ["six"],
}


def forge(file: Path, place: str, value: Any) -> None:
    """Change one field of a saved plan, and seal it anew, as any stranger can."""
    data = json.loads(file.read_text())
    data.pop("schema")
    node: Any = data
    *above, name = place.split(".")
    for key in above:
        node = node[int(key) if key.isdecimal() else key]
    assert node[name] != value
    node[name] = value
    data["seal"] = ""
    plan = codec.from_data(Plan, data)
    file.write_text(json.dumps({"schema": SCHEMA, **codec.to_data(plan), "seal": seal(plan)}))


@pytest.fixture
def strange(tool: Tool, tiny: dict[str, str], work: Path) -> Path:
    """A plan that was made here, of which this person's cache knows nothing."""
    assert tool("plan", "-o", "plan.json", **tiny).code == 0
    forget(tool)
    return work / "plan.json"


def forget(tool: Tool) -> None:
    shutil.rmtree(Path(tool.env["TFSETUP_CACHE_DIR"]) / "made", ignore_errors=True)


@pytest.mark.parametrize("place", FORGED)
def test_what_is_not_found_here_is_refused_and_named(tool: Tool, tiny: dict[str, str], strange: Path, place: str) -> None:
    forge(strange, place, FORGED[place])
    ended = tool("apply", "plan.json", "--yes", **tiny)
    assert ended.code in ({2, 13, 1} if place.startswith("request.extra") else {13}), ended.err
    assert not (strange.parent / "tf-env").exists()
    assert "verified" not in ended.out


def test_another_index_is_refused(tool: Tool, tiny: dict[str, str], strange: Path) -> None:
    forge(strange, "indexes", [EVIL])
    for words in (("--yes",), ("--yes", "--trust")):
        ended = tool("apply", "plan.json", *words, **tiny)
        assert ended.code in {13, 15}, ended.err
        assert not (strange.parent / "tf-env").exists()


def test_the_differences_are_listed_in_text_and_in_the_document(tool: Tool, tiny: dict[str, str], strange: Path) -> None:
    forge(strange, "proof", FORGED["proof"])
    ended = tool("apply", "plan.json", "--yes", "--json", **tiny)
    assert ended.code == 13
    assert any(item.startswith("proof: ") for item in ended.json["error"]["faults"])
    assert "  - proof: " in tool("apply", "plan.json", "--yes", **tiny).err


def test_an_honest_plan_of_unknown_origin_is_executed(tool: Tool, tiny: dict[str, str], strange: Path) -> None:
    """What is shown and executed is the one made here; the tiny TensorFlow cannot compute, so the proof fails and all is as before."""
    ended = tool("apply", "plan.json", "--yes", **tiny)
    assert ended.code == 14, ended.err
    assert not (strange.parent / "tf-env").exists()
