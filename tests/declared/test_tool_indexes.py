"""Indexes in the tables of Poetry, pipenv and uv: which packages they say come from there, and what is passed over."""

from __future__ import annotations

import sys

import pytest

from provisioner.declared.elsewhere import Indexes
from provisioner.declared.tool_indexes import take_tables

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

POETRY = """
[tool.poetry.dependencies]
torch = {version = "^2.1", source = "pytorch"}
ours = [{version = "1", source = "team", python = "<3.11"}, {version = "2", python = ">=3.11"}]
[tool.poetry.group.dev.dependencies]
TorchVision = {version = "*", source = "pytorch"}
[[tool.poetry.source]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu121"
priority = "explicit"
[[tool.poetry.source]]
name = "team"
url = "https://me:s3cret@packages.example.com/simple"
priority = "supplemental"
[[tool.poetry.source]]
name = "mirror"
url = "https://mirror.example.com/simple"
[[tool.poetry.source]]
name = "unused"
url = "https://unused.example.com/simple"
priority = "explicit"
[[tool.poetry.source]]
name = "PyPI"
"""
UV = """
[tool.uv.sources]
torch = [{index = "cpu", marker = "sys_platform != 'linux'"}, {index = "gpu"}]
forge = {git = "https://example.com/forge.git"}
[[tool.uv.index]]
name = "gpu"
url = "https://download.pytorch.org/whl/cu121"
explicit = true
[[tool.uv.index]]
name = "unused"
url = "https://unused.example.com/simple"
explicit = true
[[tool.uv.index]]
url = "https://more.example.com/simple"
[[tool.uv.index]]
url = "./wheels"
format = "flat"
[[tool.uv.index]]
url = "https://mirror.example.com/simple"
default = true
"""
PIPFILE = """
[[source]]
url = "https://mirror.example.com/simple"
name = "mirror"
[[source]]
url = "https://packages.example.com/simple"
name = "team"
[[source]]
url = "https://unused.example.com/simple"
name = "unused"
[packages]
ours = {version = "*", index = "team"}
pandas = "*"
"""
OLD = """
[[tool.poetry.source]]
url = "https://a.example.com/simple"
default = true
[[tool.poetry.source]]
url = "https://b.example.com/simple"
secondary = true
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            POETRY,
            [
                ("tool.poetry.source[0]", "--extra-index-url", "https://download.pytorch.org/whl/cu121", ("torch", "torchvision")),
                ("tool.poetry.source[1]", "--extra-index-url", "https://me:s3cret@packages.example.com/simple", ("ours",)),
                ("tool.poetry.source[2]", "--index-url", "https://mirror.example.com/simple", ()),
            ],
        ),
        (
            UV,
            [
                ("tool.uv.index[0]", "--extra-index-url", "https://download.pytorch.org/whl/cu121", ("torch",)),
                ("tool.uv.index[2]", "--extra-index-url", "https://more.example.com/simple", ()),
                ("tool.uv.index[4]", "--index-url", "https://mirror.example.com/simple", ()),
            ],
        ),
        (
            PIPFILE,
            [
                ("source[0]", "--index-url", "https://mirror.example.com/simple", ()),
                ("source[1]", "--extra-index-url", "https://packages.example.com/simple", ("ours",)),
            ],
        ),
        (
            OLD,
            [
                ("tool.poetry.source[0]", "--index-url", "https://a.example.com/simple", ()),
                ("tool.poetry.source[1]", "--extra-index-url", "https://b.example.com/simple", ()),
            ],
        ),
        ("source = 1\n[tool.uv]\nindex = {url = 1}\n", []),
        ("[[source]]\nurl = 1\n[tool.poetry]\nsource = [1]\n", []),
    ],
)
def test_what_each_tool_says(text: str, expected: list[tuple[str, str, str, tuple[str, ...]]]) -> None:
    indexes = Indexes()
    take_tables(tomllib.loads(text), "f", indexes)
    assert [(line.place.removeprefix("f: "), line.option, line.url, line.packages) for line in indexes.found] == expected
    assert "s3cret" not in "".join(line.line for line in indexes.found)
    assert all(item.said == bool(line.packages) for item, line in zip(indexes.unnamed(()), indexes.found, strict=True))
