"""docs/causes: the pages are those of the data, and the check notices when they are not."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from provisioner.catalogue import find_profiles
from provisioner.causes.pages import load_causes, load_order
from provisioner.host.local import LocalHost

# By its path: its name is also that of the folder of the tests of provisioner.causes.
_SPEC = importlib.util.spec_from_file_location("causes_tool", Path(__file__).parents[2] / "tools" / "causes.py")
assert _SPEC is not None
assert _SPEC.loader is not None
tool = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tool)


def test_pages_are_up_to_date(capsys):
    assert tool.main(["--check"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_links_lead_to_pages():
    folder = f"{find_profiles()}/causes"
    pages = tool.pages(load_causes(LocalHost(), folder), load_order(LocalHost(), folder))
    for text in pages.values():
        for target in tool_links(text):
            assert target in pages
    assert pages["README.md"].count("](disk-full.md)") == 2


def tool_links(text):
    return re.findall(r"\]\(([^)#]+\.md)\)", text)


@pytest.mark.parametrize("change", ["altered", "missing", "one too many"])
def test_check_notices(change, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, "PAGES", tmp_path / "causes")
    assert tool.main([]) == 0
    page = tmp_path / "causes" / "disk-full.md"
    if change == "altered":
        page.write_text("other", "utf-8")
    elif change == "missing":
        page.unlink()
    else:
        page = page.with_name("gone.md")
        page.write_text("a page of a code that was dropped", "utf-8")
    assert tool.main(["--check"]) == 1
    assert page.name in capsys.readouterr().out
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
