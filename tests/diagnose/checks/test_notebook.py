"""A notebook that was named: which kernel it asks for, and whether that is the environment that is examined."""

from __future__ import annotations

import json

import pytest

from provisioner.diagnose.checks.notebook import CHECKS
from provisioner.environment.kernels import Notebook
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader

USER = "/home/ada/.local/share/jupyter/kernels"
OTHER = "/opt/other/bin/python"


def look(kernel: str, starts: dict[str, str], distributions=("ipykernel",)):
    """Examine with kernels of these names that start these Pythons."""
    specs = {f"{USER}/{name}/kernel.json": json.dumps({"argv": [python, "-m", "ipykernel_launcher"]}) for name, python in starts.items()}
    reader = FakeReader({cases.PYTHON: "", OTHER: "", **specs}, env={"HOME": "/home/ada"})
    items = tuple(cases.distribution(name, "1.0") for name in distributions)
    notebook = Notebook(path="work.ipynb", kernel=kernel)
    case = cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader, distributions=items, notebook=notebook)
    said, findings = cases.run(case, *CHECKS)
    return said["notebook"], findings


@pytest.mark.parametrize(
    ("kernel", "starts", "distributions", "said"),
    [
        ("tf", {"tf": cases.PYTHON}, ("ipykernel",), "this environment"),
        ("TF", {"tf": cases.PYTHON}, ("ipykernel",), "this environment"),
        ("", {}, (), "names no kernel"),
        ("python3", {}, ("ipykernel", "jupyter-server"), "its own Jupyter"),
    ],
)
def test_it_is_this_environment(kernel: str, starts: dict[str, str], distributions: tuple[str, ...], said: str) -> None:
    told, findings = look(kernel, starts, distributions)
    assert said in told
    assert findings == ()


@pytest.mark.parametrize(
    ("kernel", "starts", "distributions", "title", "name"),
    [
        ("tf", {}, ("ipykernel",), "not here", "--name tf"),
        ("tf", {"tf": OTHER}, ("ipykernel",), "not this environment", ""),
        ("tf", {"tf": "/gone/bin/python"}, ("ipykernel",), "not this environment", ""),
        ("tf", {"tf": cases.PYTHON}, (), "ipykernel is not in", "--name tf"),
        ("python3", {}, ("ipykernel",), "not this environment", ""),
        ("python3", {"python3": "python"}, (), "not this environment", ""),
        ("no name; rm -r /", {}, (), "not here", ""),
    ],
)
def test_it_is_another_or_none(kernel, starts, distributions, title: str, name: str) -> None:
    _, (finding,) = look(kernel, starts, distributions)
    assert (finding.cause, finding.severity) == ("wrong-environment", "error")
    assert title in finding.title
    assert finding.evidence[0].where.startswith(("work.ipynb", cases.ENV))
    assert finding.remedy.steps == (f"tfsetup kernel --env {cases.ENV}{f' {name}' if name else ''}",)
